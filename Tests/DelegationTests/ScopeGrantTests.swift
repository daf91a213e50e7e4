import Delegation
import Testing

@Suite("A scope grant")
struct ScopeGrantTests {
    @Test(
        "The first two colons split a grant",
        arguments: [
            ("read:orders:42", "read", "orders", "42"), ("read:orders:*", "read", "orders", "*"),
            ("a:b:c:d", "a", "b", "c:d"), ("a:b::", "a", "b", ":"), ("*:*:*", "*", "*", "*"),
        ])
    func split(text: String, action: String, resource: String, identifier: String) throws {
        let grant = try #require(ScopeGrant(text))
        #expect(grant.text == text)
        #expect(grant.action == action)
        #expect(grant.resource == resource)
        #expect(grant.identifier == identifier)
    }

    @Test(
        "What has not three parts, none of them empty, is no grant",
        arguments: [
            "", "openid", "read:orders", "read:orders:", ":orders:42", "read::42", "::", ":::",
        ])
    func noGrant(text: String) {
        #expect(ScopeGrant(text) == nil)
    }

    @Test(
        "Only a whole star is a wildcard",
        arguments: [
            ("read:orders:*", true), ("read:orders:4*", false), ("read:orders:**", false), ("*:*:1", false),
            ("read:orders:*:1", false),
        ])
    func wildcard(text: String, isWildcard: Bool) throws {
        #expect(try #require(ScopeGrant(text)).isWildcard == isWildcard)
    }
}
