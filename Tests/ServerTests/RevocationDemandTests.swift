import Bytes
import Identity
import Testing

@testable import Server

@Suite("What is to be revoked")
struct RevocationDemandTests {
    private static let now = UnixTime(seconds: 1_800_000_000)

    private func read(_ json: String) throws -> RevocationDemand {
        try RevocationDemand(json: Array(json.utf8), now: Self.now)
    }

    @Test("Every level has its name", arguments: RevocationLevel.allCases)
    func levels(_ level: RevocationLevel) throws {
        let demand = try read(#"{"level":"\#(level.rawValue)","value":"x"}"#)
        #expect(demand == RevocationDemand(level: level, value: "x"))
        #expect(demand.levels == [level])
    }

    @Test("Everything can be said at once")
    func whole() throws {
        let demand = try read(
            #"{"level":"token","value":"j","issuer":"https:\/\/i","reason":"lost é","expires_at":"2027-01-15T09:00:01+01:00"}"#
        )
        #expect(
            demand
                == RevocationDemand(
                    level: .token, value: "j", issuer: "https://i", reason: "lost é", expiresAt: Self.now + .seconds(1))
        )
    }

    @Test("A member that is null is not there")
    func null() throws {
        #expect(
            try read(#"{"level":"agent","value":"a","issuer":null,"reason":null,"expires_at":null}"#)
                == RevocationDemand(level: .agent, value: "a"))
    }

    @Test("All of an agent is its chain too; all of a task is the task")
    func allOf() throws {
        #expect(try read(#"{"level":"agent","value":"a","all_of":true}"#).levels == [.agent, .chain])
        #expect(try read(#"{"level":"agent","value":"a","all_of":false}"#).levels == [.agent])
        #expect(try read(#"{"level":"task","value":"t","all_of":true}"#).levels == [.task])
    }

    @Test("Everything needs no name", arguments: [#"{"level":"everything"}"#, #"{"level":"everything","value":"*"}"#])
    func everything(_ json: String) throws {
        #expect(try read(json) == RevocationDemand(level: .everything, value: "*"))
    }

    @Test(
        "What is not understood is refused, with what to do",
        arguments: [
            ("", "not a JSON object"), ("[]", "not a JSON object"), ("{", "not a JSON object"), ("null", "not a JSON"),
            ("{}", "level is missing"), (#"{"level":"agent"}"#, "value is missing"),
            (#"{"level":"agent","value":""}"#, "value is missing"),
            (#"{"level":"Agent","value":"a"}"#, "no such level"), (#"{"level":"","value":"a"}"#, "no such level"),
            (#"{"level":1,"value":"a"}"#, "level is not a string"),
            (#"{"level":"agent","value":["a"]}"#, "not a JSON object that can be read"),
            (#"{"level":"agent","value":"a","value":"b"}"#, "not a JSON object that can be read"),
            (#"{"level":"agent","value":"a","colour":"blue"}"#, "a member that is not known"),
            (#"{"level":"agent","value":"a","Issuer":"i"}"#, "a member that is not known"),
            (#"{"level":"agent","value":"a\u0007"}"#, "value holds a control character"),
            (#"{"level":"agent","value":"a","reason":"a\nb"}"#, "reason holds a control character"),
            (#"{"level":"agent","value":"a","expires_at":"tomorrow"}"#, "expires_at is not a moment"),
            (#"{"level":"agent","value":"a","expires_at":1800000000}"#, "expires_at is not a string"),
            (#"{"level":"agent","value":"a","expires_at":"2027-01-15T08:00:00Z"}"#, "expires_at has passed"),
            (#"{"level":"agent","value":"a","all_of":"yes"}"#, "all_of is true or false"),
            (#"{"level":"chain","value":"a","all_of":true}"#, "all_of is for"),
        ])
    func refused(_ json: String, _ detail: String) {
        let refusal = #expect(throws: AdminRefusal.self) { try read(json) }
        #expect(refusal?.status == 400)
        #expect(refusal?.detail.contains(detail) == true)
    }

    @Test("Texts have a bound", arguments: [("value", 2048), ("issuer", 2048), ("reason", 1024)])
    func bounds(_ name: String, _ limit: Int) throws {
        func json(_ count: Int) -> String {
            let text = String(repeating: "x", count: count)
            let value = name == "value" ? "" : #""value":"a","#
            return #"{"level":"agent",\#(value)"\#(name)":"\#(text)"}"#
        }
        #expect(throws: Never.self) { try read(json(limit)) }
        #expect(throws: AdminRefusal.self) { try read(json(limit + 1)) }
    }
}
