import Bytes
import Delegation
import JSON
import Testing

@Suite("Capabilities of an attenuating token")
struct AttenuatingCapabilitiesTests {
    private func read(_ details: String) throws -> AttenuatingCapabilities? {
        let document = try JSONDocument(details.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
        return try AttenuatingCapabilities.read(document.root)
    }

    @Test("The one entry of our type is read, and those of other types are passed over")
    func entry() throws {
        let own = #"{"type":"attenuating_agent_token","tools":{"b":{},"a":{}}}"#
        #expect(try read("[\(own)]")?.names == ["b", "a"])
        #expect(try read(#"[{"type":"payment","amount":1},\#(own)]"#)?.names == ["b", "a"])
        #expect(try read("[]") == nil)
        #expect(try read(#"[{"type":"payment"}]"#) == nil)
    }

    @Test(
        "An entry that we cannot judge is refused",
        arguments: [
            "{}", #""x""#, "[1]", "[{}]", #"[{"type":1}]"#, #"[{"type":"attenuating_agent_token"}]"#,
            #"[{"type":"attenuating_agent_token","tools":[]}]"#,
            #"[{"type":"attenuating_agent_token","tools":{},"locations":["https://other.example.test"]}]"#,
            #"[{"type":"attenuating_agent_token","tools":{}},{"type":"attenuating_agent_token","tools":{}}]"#,
            #"[{"type":"attenuating_agent_token","tools":{"a":[]}}]"#,
            #"[{"type":"attenuating_agent_token","tools":{"":{}}}]"#,
            #"[{"type":"attenuating_agent_token","tools":{"a b":{}}}]"#,
            #"[{"type":"attenuating_agent_token","tools":{"caf\u00e9":{}}}]"#,
            #"[{"type":"attenuating_agent_token","tools":{"a\"b":{}}}]"#,
        ])
    func malformed(details: String) {
        #expect(throws: AttenuatingFault.form) { try read(details) }
    }

    @Test("A child may leave tools out and may not bring one in")
    func tools() throws {
        let parent = try capabilities(#"{"a":{},"b":{}}"#)
        #expect(parent.subsume(try capabilities(#"{"a":{}}"#)))
        #expect(parent.subsume(.none))
        #expect(!parent.subsume(try capabilities(#"{"a":{},"c":{}}"#)))
        #expect(!parent.subsume(try capabilities(#"{"A":{}}"#)))
        #expect(!AttenuatingCapabilities.none.subsume(parent))
    }

    @Test("A call is allowed where its tool and its arguments are")
    func calls() throws {
        let list = #"{"constraint_type":"one_of","values":["7","8"]}"#
        let held = try capabilities(#"{"read:orders":{"identifier":\#(list)},"list:orders":{}}"#)
        #expect(held.allow(try call("read:orders", #"{"identifier":"7"}"#)))
        #expect(!held.allow(try call("read:orders", #"{"identifier":"9"}"#)))
        #expect(!held.allow(try call("read:orders", #"{"identifier":7}"#)))
        #expect(!held.allow(try call("READ:orders", #"{"identifier":"7"}"#)))
        #expect(held.allow(try call("list:orders", #"{"identifier":"9"}"#)))
        #expect(!AttenuatingCapabilities.none.allow(try call("read:orders", #"{"identifier":"7"}"#)))
    }

    @Test("A scope is a call of the tool that its first two parts name")
    func scope() throws {
        func call(_ action: String, _ resource: String, _ identifier: String?) -> AttenuatingCall? {
            AttenuatingCall(
                action: Array(action.utf8), resource: Array(resource.utf8),
                identifier: identifier.map { Array($0.utf8) })
        }
        #expect(try call("read", "orders", "a:b") == DelegationTests.call("read:orders", #"{"identifier":"a:b"}"#))
        #expect(call("read:orders", "a", "b") == nil)
        #expect(call("read", "orders:a", "b") == nil)
        #expect(call("", "orders", "b") == nil)
        #expect(call("read", "", "b") == nil)
        #expect(call("read", "orders", "") == nil)
        #expect(AttenuatingCall(action: [114], resource: [111], identifier: [0xFF]) == nil)
        #expect(AttenuatingCall(action: [114], resource: [111], identifier: [0x41]) != nil)
    }

    @Test("All of a resource's identifiers at once are allowed only by what restricts none")
    func everything() throws {
        let all = try #require(AttenuatingCall(action: [114], resource: [111], identifier: nil))
        for (map, isAllowed) in [
            ("{}", true), (#"{"identifier":{"constraint_type":"wildcard"}}"#, true),
            (#"{"identifier":{"constraint_type":"not_one_of","excluded":["x"]}}"#, false),
            (#"{"identifier":{"constraint_type":"exact","value":"*"}}"#, false),
        ] {
            #expect(try capabilities(#"{"r:o":\#(map)}"#).allow(all) == isAllowed, "\(map)")
        }
    }

    @Test("A token names 256 tools at most")
    func number() throws {
        func map(_ count: Int) -> String {
            "{" + (0..<count).map { #""t\#($0)":{}"# }.joined(separator: ",") + "}"
        }
        #expect(try capabilities(map(256)).tools.count == 256)
        #expect(throws: JSONError.self) { try capabilities(map(257)) }
    }
}
