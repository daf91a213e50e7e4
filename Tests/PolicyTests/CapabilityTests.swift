import Bytes
import Delegation
import HTTP
import JSON
import Possession
import Testing
import Tokens

@testable import Policy

@Suite("Capabilities and what a route asks for")
struct CapabilityTests {
    private func judge(_ tools: String, _ scope: String?, _ path: String, at target: String) throws -> String? {
        let document = try JSONDocument(tools.utf8.span, limits: AttenuatingCapabilities.jsonLimits)
        let claims = Trial.claims(
            scopes: ["read:orders:*"], capabilities: try AttenuatingCapabilities(tools: document.root))
        let route = try Trial.route(path, scope: scope)
        let target = try Trial.target(target)
        do throws(PolicyDenial) {
            let grant = try route.judge(
                claims, possession: .certificate, at: target, now: UnixTime(seconds: 1000))
            return grant?.text ?? "none asked"
        } catch {
            #expect(error == .scope)
            return nil
        }
    }

    private static let some = #"{"identifier":{"constraint_type":"one_of","values":["7","8:a","*","caf\u00e9 %"]}}"#

    @Test(
        "A request is a call of the tool that its scope names, with the identifier",
        arguments: [
            (#"{"read:orders":\#(some)}"#, "/orders/7", "read:orders:7"),
            (#"{"read:orders":\#(some)}"#, "/orders/8:a", "read:orders:8:a"),
            (#"{"read:orders":\#(some)}"#, "/orders/9", nil), (#"{"read:orders":{}}"#, "/orders/9", "read:orders:9"),
            (#"{"write:orders":{}}"#, "/orders/7", nil), ("{}", "/orders/7", nil),
            (#"{"read:orders:7":{}}"#, "/orders/7", nil), (#"{"read:orders:*":{}}"#, "/orders/7", nil),
            (#"{"*":{}}"#, "/orders/7", nil), (#"{"READ:orders":{}}"#, "/orders/7", nil),
            (#"{"read:orders":{"identifier":{"constraint_type":"exact","value":7}}}"#, "/orders/7", nil),
            (#"{"read:orders":{"identifier":{"constraint_type":"range","max":9}}}"#, "/orders/7", nil),
            (#"{"read:orders":{"other":{"constraint_type":"wildcard"}}}"#, "/orders/7", nil),
            (#"{"read:orders":{"other":{"constraint_type":"wildcard","optional":true}}}"#, "/orders/7", nil),
        ])
    func calls(tools: String, target: String, grant: String?) throws {
        #expect(try judge(tools, "read:orders:{id}", "/orders/{id}", at: target) == grant)
    }

    @Test("An identifier is compared as it is and told so that it says one thing only")
    func escaping() throws {
        let tools = #"{"read:orders":\#(Self.some)}"#
        let grant = try judge(tools, "read:orders:{id}", "/orders/{id}", at: "/orders/caf%C3%A9%20%25")
        #expect(grant == "read:orders:caf%C3%A9%20%25")
        // A star that came in the path is that character.
        #expect(try judge(tools, "read:orders:{id}", "/orders/{id}", at: "/orders/*") == "read:orders:%2A")
        #expect(
            try judge(#"{"read:files":{}}"#, "read:files:{rest}", "/files/{rest...}", at: "/files/a/b")
                == "read:files:a/b")
    }

    @Test("A route that asks for all of a resource is for those whom nothing restricts")
    func everything() throws {
        func grant(_ map: String) throws -> String? {
            try judge(#"{"read:orders":\#(map)}"#, "read:orders:*", "/orders", at: "/orders")
        }
        #expect(try grant("{}") == "read:orders:*")
        #expect(try grant(#"{"identifier":{"constraint_type":"wildcard"}}"#) == "read:orders:*")
        #expect(try grant(#"{"identifier":{"constraint_type":"not_one_of","excluded":["7"]}}"#) == nil)
        #expect(try grant(#"{"identifier":{"constraint_type":"exact","value":"*"}}"#) == nil)
        #expect(try grant(Self.some) == nil)
    }

    @Test("A path cannot move the colons of a scope, whose holes may be in its first parts")
    func colons() throws {
        let tools = #"{"read:orders":{},"read:orders:a":{}}"#
        #expect(try judge(tools, "read:{kind}:{id}", "/{kind}/{id}", at: "/orders/7") == "read:orders:7")
        #expect(try judge(tools, "read:{kind}:{id}", "/{kind}/{id}", at: "/orders:a/7") == nil)
    }

    @Test("A route that asks for no scope asks for no capability; scopes count for nothing beside capabilities")
    func scopes() throws {
        #expect(try judge("{}", nil, "/orders/{id}", at: "/orders/7") == "none asked")
        #expect(try judge("{}", "read:orders:{id}", "/orders/{id}", at: "/orders/7") == nil)
    }
}
