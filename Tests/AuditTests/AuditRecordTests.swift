import Audit
import Bytes
import Cryptography
import Testing

@Suite("Audit records")
struct AuditRecordTests {
    private static let zeros = String(repeating: "0", count: 64)

    private func line(_ fill: (inout AuditRecord) -> Void) throws -> String {
        var record = AuditRecord()
        fill(&record)
        record.finish()
        var lines = ByteQueue()
        var chain = AuditChain(engine: try CryptographicEngine())
        chain.append(record, to: &lines)
        return Lines.text(lines)
    }

    @Test(
        "prev and seq stand where the order of keys puts them",
        arguments: [
            ([], #"{"prev":"0","seq":1}"#),
            (["a"], #"{"a":"","prev":"0","seq":1}"#),
            (["q"], #"{"prev":"0","q":"","seq":1}"#),
            (["t"], #"{"prev":"0","seq":1,"t":""}"#),
            (["a", "q"], #"{"a":"","prev":"0","q":"","seq":1}"#),
            (["a", "t"], #"{"a":"","prev":"0","seq":1,"t":""}"#),
            (["q", "t"], #"{"prev":"0","q":"","seq":1,"t":""}"#),
            (["a", "b", "q", "r", "t", "u"], #"{"a":"","b":"","prev":"0","q":"","r":"","seq":1,"t":"","u":""}"#),
            (["pre", "preva", "se", "seqa"], #"{"pre":"","prev":"0","preva":"","se":"","seq":1,"seqa":""}"#),
        ])
    func holes(keys: [String], expected: String) throws {
        let literals: [String: StaticString] = [
            "a": "a", "b": "b", "q": "q", "r": "r", "t": "t", "u": "u", "pre": "pre", "preva": "preva", "se": "se",
            "seqa": "seqa",
        ]
        let line = try line { record in
            for key in keys { record.member(literals[key] ?? "", "") }
        }
        #expect(line == expected.replacing(#""prev":"0""#, with: #""prev":"\#(Self.zeros)""#) + "\n")
    }

    @Test("Every kind of member is written as JSON without spaces")
    func kinds() throws {
        let line = try line { record in
            record.member("a", "text")
            record.member("b", "literal" as StaticString)
            record.member("c", number: .max)
            record.member("d", raw: #"[{"agent":"x"}]"#.utf8.span)
            record.member("e", digest: .zero)
            record.member(event: .requestAllowed)
            record.member("f", flag: true)
            record.member("time", time: UnixTime(nanoseconds: 1_000_000_000_123_456_789))
        }
        let expected =
            #"{"a":"text","b":"literal","c":18446744073709551615,"d":[{"agent":"x"}],"e":"\#(Self.zeros)","#
            + #""event":"request.allowed","f":true,"prev":"\#(Self.zeros)","seq":1,"time":"2001-09-09T01:46:40.123456Z"}"#
        #expect(line == expected + "\n")
    }

    @Test("A record that was reset is as new")
    func reset() throws {
        var record = AuditRecord()
        Lines.request(1, in: &record)
        record.reset()
        record.member("event", "x" as StaticString)
        record.finish()
        let size = record.byteCount
        #expect(size == #"{"event":"x"}"#.utf8.count)
    }

    @Test("Members out of order, twice, or behind the end are refused")
    func order() async {
        await #expect(processExitsWith: .failure) {
            var record = AuditRecord()
            record.member("b", "")
            record.member("a", "")
        }
        await #expect(processExitsWith: .failure) {
            var record = AuditRecord()
            record.member("a", "")
            record.member("a", "")
        }
        await #expect(processExitsWith: .failure) {
            var record = AuditRecord()
            record.finish()
            record.member("a", "")
        }
        await #expect(processExitsWith: .success) {
            var record = AuditRecord()
            record.member("a", "")
            record.member("b", "")
            record.finish()
        }
    }

    @Test("Nobody but the log writes prev and seq")
    func reserved() async {
        await #expect(processExitsWith: .failure) {
            var record = AuditRecord()
            record.member("prev", "")
        }
        await #expect(processExitsWith: .failure) {
            var record = AuditRecord()
            record.member("seq", number: 1)
        }
    }
}
