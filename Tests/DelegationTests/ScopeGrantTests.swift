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

    @Test(
        "A grant covers what names the same, or any",
        arguments: [
            ("read:orders:*", "read:orders:7", true), ("read:orders:*", "read:orders:*", true),
            ("read:orders:7", "read:orders:7", true), ("read:orders:7", "read:orders:*", false),
            ("read:orders:7", "read:orders:8", false), ("read:orders:*", "write:orders:7", false),
            ("read:orders:*", "read:users:7", false), ("*:orders:*", "read:orders:7", false),
            ("read:*:*", "read:orders:7", false), ("read:orders:*", "read:orders:7:8", true),
            ("read:orders:e\u{301}", "read:orders:\u{e9}", false),
        ])
    func coverage(wider: String, narrower: String, covers: Bool) throws {
        #expect(try #require(ScopeGrant(wider)).covers(#require(ScopeGrant(narrower))) == covers)
        #expect(ScopeGrant.cover([wider], [narrower]) == covers)
    }

    @Test("Each scope of the narrower must be covered by one; what is no grant only by its like")
    func lists() {
        #expect(ScopeGrant.cover([], []))
        #expect(!ScopeGrant.cover([], ["openid"]))
        #expect(ScopeGrant.cover(["openid", "read:orders:*"], ["read:orders:1", "openid"]))
        #expect(!ScopeGrant.cover(["openid", "read:orders:*"], ["read:orders:1", "email"]))
        #expect(!ScopeGrant.cover(["read:orders"], ["read:orders:1"]))
    }
}
