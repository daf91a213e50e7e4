import Audit
import Bytes
import Cryptography
import Testing

@Suite("Where a log goes on")
struct AuditTailTests {
    private func tail(
        _ window: some Collection<UInt8>, isWhole: Bool, from start: AuditVerifier.Start = .anywhere
    ) throws -> AuditTail? {
        let bytes = Array(window)
        let engine = try CryptographicEngine()
        return try AuditTail(window: bytes.span, isWholeFile: isWhole, file: "f", from: start, engine: engine)
    }

    @Test("It is behind the last complete line, and what follows is torn")
    func found() throws {
        let log = try Lines.log(4)
        let fourth = Lines.split(log)[3]
        let last = try CryptographicEngine().sha256(fourth.span)
        #expect(try tail(log, isWhole: true) == AuditTail(sequence: 4, digest: last, tornByteCount: 0))
        let torn = log + Array("{\"agent\"".utf8)
        #expect(try tail(torn, isWhole: true) == AuditTail(sequence: 4, digest: last, tornByteCount: 8))
        for skipped in [1, 100, log.count - Lines.split(log)[3].count - 2] {
            #expect(
                try tail(torn.dropFirst(skipped), isWhole: false)
                    == AuditTail(sequence: 4, digest: last, tornByteCount: 8), "without \(skipped) bytes")
        }
    }

    @Test("There is none where no line is complete")
    func none() throws {
        let log = try Lines.log(1)
        #expect(try tail([], isWhole: true) == nil)
        #expect(try tail(log.dropLast(), isWhole: true) == nil)
        #expect(try tail(log, isWhole: false) == nil)
        #expect(try tail(log, isWhole: true) != nil)
    }

    @Test("A complete line that is no record, or does not follow, is a fault")
    func damaged() throws {
        var log = try Lines.log(4)
        #expect(throws: AuditFault.self) { try tail(log + Array("x\n".utf8), isWhole: true) }
        #expect(throws: AuditFault.self) { try tail(log, isWhole: true, from: .after(sequence: 1, digest: .zero)) }
        #expect(throws: AuditFault.self) {
            try tail(log.dropFirst(Lines.split(log)[0].count + 1), isWhole: true, from: .beginning)
        }
        log[20] ^= 1
        let fault = #expect(throws: AuditFault.self) { try tail(log, isWhole: true) }
        #expect(fault == AuditFault(file: "f", line: 1, sequence: 1, kind: .changed))
    }
}
