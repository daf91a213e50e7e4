import Audit
import Bytes
import Cryptography
import Foundation
import Testing

@Suite("Verifying a log")
struct AuditVerifierTests {
    @Test("A log as written is intact, also in pieces of any size")
    func intact() throws {
        let log = try Lines.log(20)
        #expect(try Lines.fault(in: log) == nil)
        for size in [1, 7, 64, 1000] {
            var verifier = AuditVerifier(engine: try CryptographicEngine())
            verifier.beginFile("a")
            for start in stride(from: 0, to: log.count, by: size) {
                try verifier.input(contents: log.span.extracting(start..<min(start + size, log.count)))
            }
            try verifier.endFile()
            let count = verifier.recordCount
            #expect(count == 20)
        }
    }

    @Test("A log in several files is one chain")
    func files() throws {
        let lines = Lines.split(try Lines.log(9))
        func verify(_ files: [[[UInt8]]]) throws -> AuditFault? {
            var verifier = AuditVerifier(engine: try CryptographicEngine())
            do throws(AuditFault) {
                for (index, file) in files.enumerated() {
                    verifier.beginFile("file \(index)")
                    let contents = Lines.join(file)
                    try verifier.input(contents: contents.span)
                    try verifier.endFile()
                }
                return nil
            } catch {
                return error
            }
        }
        #expect(try verify([Array(lines[0..<3]), [], Array(lines[3..<9])]) == nil)
        #expect(
            try verify([Array(lines[0..<3]), Array(lines[4..<9])])
                == AuditFault(file: "file 1", line: 1, sequence: 4, kind: .sequence(found: 5)))
        #expect(
            try verify([Array(lines[3..<9]), Array(lines[0..<3])])
                == AuditFault(file: "file 0", line: 1, sequence: 1, kind: .sequence(found: 4)))
        var changed = lines
        changed[2][12] ^= 1
        #expect(
            try verify([Array(changed[0..<3]), Array(changed[3..<9])])
                == AuditFault(file: "file 0", line: 3, sequence: 3, kind: .changed))
    }

    @Test("Any single byte that is changed before the last line is found, at its record")
    func changedByte() throws {
        let log = try Lines.log(4)
        let lines = Lines.split(log)
        var offset = 0
        for (index, line) in lines.dropLast().enumerated() {
            for position in offset..<offset + line.count + 1 {
                for mask: UInt8 in [0x01, 0x20, 0x80] {
                    var damaged = log
                    damaged[position] ^= mask
                    let fault = try Lines.fault(in: damaged)
                    #expect(fault != nil, "byte \(position) with \(mask)")
                    guard let sequence = fault?.sequence else { continue }
                    // The line itself, or the one before, where it is this one's prev that was changed.
                    #expect(Int(sequence) == index + 1 || Int(sequence) == index, "byte \(position) with \(mask)")
                }
            }
            offset += line.count + 1
        }
    }

    @Test("Any byte that is removed, added or doubled before the last line is found")
    func insertedByte() throws {
        let log = try Lines.log(3)
        let end = log.count - Lines.split(log)[2].count - 1
        for position in 0..<end {
            var removed = log
            removed.remove(at: position)
            #expect(try Lines.fault(in: removed) != nil, "removed \(position)")
            for byte in [UInt8(ascii: " "), UInt8(ascii: "0"), UInt8(ascii: "\n"), 0] {
                var added = log
                added.insert(byte, at: position)
                #expect(try Lines.fault(in: added) != nil, "added \(byte) at \(position)")
            }
        }
    }

    @Test(
        "Any line that is removed, swapped, doubled or made up is found; but not a cut tail, which a chain cannot show")
    func lines() throws {
        let lines = Lines.split(try Lines.log(8))
        for index in lines.indices {
            var removed = lines
            removed.remove(at: index)
            #expect(try Lines.fault(in: Lines.join(removed)) == nil ? index == 7 : index < 7)
            for other in lines.indices where other != index {
                var swapped = lines
                swapped.swapAt(index, other)
                #expect(try Lines.fault(in: Lines.join(swapped)) != nil)
                var doubled = lines
                doubled.insert(lines[index], at: other)
                #expect(try Lines.fault(in: Lines.join(doubled)) != nil)
            }
            var madeUp = lines
            madeUp.insert(Array(#"{"event":"request.allowed","prev":"","seq":1,"time":""}"#.utf8), at: index)
            #expect(try Lines.fault(in: Lines.join(madeUp)) != nil)
        }
    }

    @Test("Records that are taken out of the middle and closed up with new numbers are found")
    func renumbered() throws {
        var lines = Lines.split(try Lines.log(5)).map { String(decoding: $0, as: UTF8.self) }
        lines.remove(at: 2)
        lines[2] = lines[2].replacing(#""seq":4"#, with: #""seq":3"#)
        lines[3] = lines[3].replacing(#""seq":5"#, with: #""seq":4"#)
        let fault = try Lines.fault(in: Lines.join(lines.map { Array($0.utf8) }))
        #expect(fault == AuditFault(file: "audit-000001.jsonl", line: 2, sequence: 2, kind: .changed))
    }

    @Test("A last line without its newline is a fault of its own")
    func incomplete() throws {
        let log = try Lines.log(3)
        let fault = try Lines.fault(in: log.dropLast())
        #expect(fault == AuditFault(file: "audit-000001.jsonl", line: 3, sequence: 3, kind: .incompleteLine))
        #expect(try Lines.fault(in: Array(log.dropLast(40)))?.kind == .incompleteLine)
    }

    @Test("A log may be read from a record whose digest is known, or from anywhere")
    func resumed() throws {
        let engine = try CryptographicEngine()
        let lines = Lines.split(try Lines.log(5))
        let second = lines[1]
        let digest = engine.sha256(second.span)
        let rest = Lines.join(Array(lines[2...]))
        #expect(try Lines.fault(in: rest, from: .after(sequence: 2, digest: digest)) == nil)
        #expect(try Lines.fault(in: rest, from: .after(sequence: 2, digest: .zero))?.kind == .previous)
        #expect(try Lines.fault(in: rest, from: .after(sequence: 1, digest: digest))?.kind == .sequence(found: 3))
        #expect(try Lines.fault(in: rest, from: .anywhere) == nil)
        #expect(try Lines.fault(in: rest, from: .beginning)?.kind == .sequence(found: 3))
    }

    @Test(
        "A line must have the form that the gateway writes",
        arguments: [
            (#"{"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, nil),
            (#"{"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"} "#, .whiteSpace),
            (#"{"event":"gateway.started", "prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .whiteSpace),
            (#"{"a":"b \" c","event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, nil),
            (#"{"prev":"P","event":"gateway.started","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .keyOrder),
            (#"{"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z","a":1}"#, .keyOrder),
            (
                #"{"a":[{"c":1,"b":2}],"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#,
                .keyOrder
            ),
            (
                #"{"a":[{"b":1,"c":2}],"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#,
                nil
            ),
            (
                #"{"event":"gateway.began","prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#,
                .unknownEvent("gateway.began")
            ),
            (#"{"prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("event")),
            (#"{"event":1,"prev":"P","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("event")),
            (#"{"event":"gateway.started","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("prev")),
            (#"{"event":"gateway.started","prev":"00","seq":1,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("prev")),
            (#"{"event":"gateway.started","prev":"P","time":"2026-01-02T03:04:05.000006Z"}"#, .member("seq")),
            (#"{"event":"gateway.started","prev":"P","seq":0,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("seq")),
            (#"{"event":"gateway.started","prev":"P","seq":-1,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("seq")),
            (#"{"event":"gateway.started","prev":"P","seq":1.0,"time":"2026-01-02T03:04:05.000006Z"}"#, .member("seq")),
            (#"{"event":"gateway.started","prev":"P","seq":"1","time":"2026-01-02T03:04:05.000006Z"}"#, .member("seq")),
            (
                #"{"event":"gateway.started","prev":"P","seq":2,"time":"2026-01-02T03:04:05.000006Z"}"#,
                .sequence(found: 2)
            ),
            (#"{"event":"gateway.started","prev":"P","seq":1}"#, .member("time")),
            (#"{"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02T03:04:05Z"}"#, .member("time")),
            (#"{"event":"gateway.started","prev":"P","seq":1,"time":"2026-01-02t03:04:05.000006Z"}"#, .member("time")),
            (#"[1]"#, .notAnObject),
        ] as [(String, AuditFault.Kind?)])
    func form(line: String, expected: AuditFault.Kind?) throws {
        let zeros = String(repeating: "0", count: 64)
        let bytes = Array(line.replacing(#""P""#, with: #""\#(zeros)""#).utf8) + [UInt8(ascii: "\n")]
        #expect(try Lines.fault(in: bytes)?.kind == expected)
    }

    @Test(
        "What is no JSON, or names a member twice, is refused as such",
        arguments: [
            "", "x", "{", #"{"a":1,"a":2}"#, "{}{}", "\u{feff}{}",
        ])
    func notJSON(line: String) throws {
        let fault = try Lines.fault(in: Array((line + "\n").utf8))
        guard case .notJSON = fault?.kind else {
            Issue.record("\(line) gave \(String(describing: fault))")
            return
        }
        #expect(fault?.line == 1)
    }

    @Test("A line longer than a record can be is refused before it is kept")
    func tooLong() throws {
        let log = Array(repeating: UInt8(ascii: "x"), count: AuditChain.maximumLineByteCount + 1)
        #expect(try Lines.fault(in: log)?.kind == .tooLong)
        #expect(try Lines.fault(in: log + [UInt8(ascii: "\n")])?.kind == .tooLong)
    }

    @Test("A fault says where it is, which record, and what is wrong with it")
    func description() {
        let fault = AuditFault(file: "audit-000002.jsonl", line: 17, sequence: 34, kind: .sequence(found: 36))
        #expect(
            fault.description
                == "audit-000002.jsonl:17: record 34: expected here, but this one's seq is 36; records were removed, added or moved"
        )
        let unplaced = AuditFault(file: "", line: nil, sequence: nil, kind: .whiteSpace)
        #expect(unplaced.description == "white space between the tokens")
    }
}
