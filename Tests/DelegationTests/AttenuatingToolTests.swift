import Delegation
import Testing

@Suite("A tool's map of constraints")
struct AttenuatingToolTests {
    private static let wild = #"{"constraint_type":"wildcard"}"#
    private static let optional = #"{"constraint_type":"wildcard","optional":true}"#
    private static let one = #"{"constraint_type":"exact","value":1}"#

    private func allows(_ map: String, _ arguments: String) throws -> Bool {
        let call = try call("t", arguments)
        return try tool(map).allows(call.arguments)
    }

    @Test(
        "A map that is not empty is a closed world",
        arguments: [
            ("{}", "{}", true), ("{}", #"{"a":1,"b":[]}"#, true), (#"{"a":\#(one)}"#, #"{"a":1}"#, true),
            (#"{"a":\#(one)}"#, #"{"a":2}"#, false), (#"{"a":\#(one)}"#, #"{"a":1,"b":1}"#, false),
            (#"{"a":\#(one)}"#, "{}", false), (#"{"a":\#(one),"*":\#(wild)}"#, #"{"a":1,"b":1}"#, true),
            (#"{"a":\#(one),"*":\#(wild)}"#, #"{"b":1}"#, false), (#"{"a":\#(optional)}"#, "{}", true),
            (#"{"a":{"constraint_type":"exact","value":1,"optional":true}}"#, #"{"a":2}"#, false),
            (#"{"a":{"constraint_type":"exact","value":1,"optional":false}}"#, "{}", false),
            (#"{"*":\#(wild)}"#, #"{"*":1}"#, true), (#"{"a":\#(wild)}"#, #"{"*":1,"a":1}"#, false),
        ])
    func closedWorld(map: String, arguments: String, isAllowed: Bool) throws {
        #expect(try allows(map, arguments) == isAllowed)
    }

    @Test(
        "A child may narrow a map in the ways of the draft and in no other",
        arguments: [
            ("{}", "{}", true), ("{}", #"{"*":\#(wild)}"#, true), (#"{"*":\#(wild)}"#, "{}", true),
            ("{}", #"{"a":\#(one)}"#, true), ("{}", #"{"a":\#(one),"*":\#(wild)}"#, true),
            ("{}", #"{"a":\#(optional)}"#, true), (#"{"a":\#(one)}"#, "{}", false),
            (#"{"a":\#(one)}"#, #"{"a":\#(one),"*":\#(wild)}"#, false),
            (#"{"a":\#(one)}"#, #"{"a":\#(one),"b":\#(one)}"#, false), (#"{"a":\#(wild)}"#, #"{"a":\#(one)}"#, true),
            (#"{"a":\#(one)}"#, #"{"a":\#(wild)}"#, false), (#"{"a":\#(wild)}"#, #"{"a":\#(optional)}"#, false),
            (#"{"a":\#(optional)}"#, #"{"a":\#(wild)}"#, true), (#"{"a":\#(optional)}"#, #"{"a":\#(optional)}"#, true),
            (#"{"a":\#(one),"b":\#(optional)}"#, #"{"a":\#(one)}"#, true),
            (#"{"a":\#(one),"b":\#(wild)}"#, #"{"a":\#(one)}"#, false),
            (#"{"a":\#(optional),"*":\#(wild)}"#, #"{"*":\#(wild)}"#, false),
            (#"{"a":\#(optional),"*":\#(wild)}"#, #"{"b":\#(one)}"#, true),
            (#"{"a":\#(one),"*":\#(wild)}"#, #"{"a":\#(one)}"#, true),
        ])
    func narrowing(parent: String, child: String, isNarrower: Bool) throws {
        #expect(try tool(parent).subsumes(tool(child)) == isNarrower)
    }

    @Test(
        "The entry for all other arguments is a plain wildcard or refused",
        arguments: [one, optional, #"{"constraint_type":"wildcard","optional":false}"#])
    func others(json: String) throws {
        #expect(throws: AttenuatingFault.constraint) { try tool(#"{"*":\#(json)}"#) }
        #expect(throws: Never.self) { try tool(#"{"*":\#(Self.wild)}"#) }
    }

    @Test("A tool has 64 constraints at most, those inside others among them")
    func number() throws {
        func map(_ count: Int) -> String {
            "{" + (0..<count).map { #""a\#($0)":\#(Self.wild)"# }.joined(separator: ",") + "}"
        }
        #expect(throws: Never.self) { try tool(map(64)) }
        #expect(throws: AttenuatingFault.number) { try tool(map(65)) }
        func clauses(_ count: Int) -> String {
            let list = Array(repeating: Self.wild, count: count).joined(separator: ",")
            return #"{"a":{"constraint_type":"any","constraints":[\#(list)]}}"#
        }
        #expect(throws: Never.self) { try tool(clauses(63)) }
        #expect(throws: AttenuatingFault.number) { try tool(clauses(64)) }
    }
}
