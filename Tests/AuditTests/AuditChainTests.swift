import Audit
import Bytes
import Cryptography
import Testing

@Suite("The chain")
struct AuditChainTests {
    private func append(_ number: UInt64, to chain: inout AuditChain, _ lines: inout ByteQueue) {
        var record = AuditRecord()
        record.member(event: .gatewayStarted)
        record.member("n", number: number)
        record.finish()
        chain.append(record, to: &lines)
    }

    @Test("prev is the SHA-256 of the line before, without its newline, and seq counts from one")
    func known() throws {
        var chain = AuditChain(engine: try CryptographicEngine())
        var lines = ByteQueue()
        append(1, to: &chain, &lines)
        append(2, to: &chain, &lines)
        let zeros = String(repeating: "0", count: 64)
        let expected = """
            {"event":"gateway.started","n":1,"prev":"\(zeros)","seq":1}
            {"event":"gateway.started","n":2,"prev":"1d78b57766203967f3d45e4e90968da31e8f03247b9569d1a359240c31da7c3f","seq":2}

            """
        #expect(Lines.text(lines) == expected)
        #expect(chain.sequence == 2)
        #expect(chain.previous.hexadecimal == "2c6456305dea86963ce62b0e276a9cd31504dbea054d504d5a16e0e75b819a81")
    }

    @Test("A chain that is resumed goes on as if it had never ended")
    func resumed() throws {
        let engine = try CryptographicEngine()
        var whole = AuditChain(engine: engine)
        var wholeLines = ByteQueue()
        for number: UInt64 in 1...3 { append(number, to: &whole, &wholeLines) }
        var first = AuditChain(engine: engine)
        var lines = ByteQueue()
        for number: UInt64 in 1...2 { append(number, to: &first, &lines) }
        var second = AuditChain(resumingAfter: first.sequence, previous: first.previous, engine: engine)
        append(3, to: &second, &lines)
        #expect(Lines.text(lines) == Lines.text(wholeLines))
    }
}
