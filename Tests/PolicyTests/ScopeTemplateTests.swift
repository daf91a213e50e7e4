import Delegation
import HTTP
import Testing
import Tokens

@testable import Policy

@Suite("Scope templates")
struct ScopeTemplateTests {
    private func covers(_ grant: String, _ template: String, _ path: String, _ target: String) throws -> Bool {
        let pattern = try PathPattern(path)
        let template = try ScopeTemplate(template, parameters: pattern.parameterNames)
        let grant = try #require(ScopeGrant(grant))
        let target = try Trial.target(target)
        let isFitting = pattern.matches(target)
        try #require(isFitting)
        return template.isCovered(by: grant, at: target, of: pattern)
    }

    @Test(
        "A grant covers what it equals, and with a whole * every identifier",
        arguments: [
            ("read:orders:42", true), ("read:orders:*", true),
            ("read:orders:4", false), ("read:orders:421", false), ("read:orders:4*", false), ("read:orders:**", false),
            ("write:orders:42", false), ("read:invoices:42", false), ("Read:orders:42", false), ("*:orders:42", false),
            ("read:*:42", false), ("read:*:*", false), ("*:*:*", false), ("read:orders:42:x", false),
        ])
    func covering(grant: String, expected: Bool) throws {
        #expect(try covers(grant, "read:orders:{id}", "/orders/{id}", "/orders/42") == expected)
    }

    @Test(
        "Nothing in a path is a wildcard or moves a colon",
        arguments: [
            ("/orders/*", "read:orders:42", false), ("/orders/*", "read:orders:*", true),
            ("/orders/%2A", "read:orders:42", false),
            ("/orders/a:b", "read:orders:a:b", true), ("/orders/a%3Ab", "read:orders:a:b", true),
            ("/orders/a:b", "read:orders:a", false), ("/orders/a", "read:orders:a:b", false),
            ("/orders/%E2%82%AC", "read:orders:€", true), ("/orders/e%CC%81", "read:orders:é", false),
            ("/orders/a%20b", "read:orders:a b", true),
        ])
    func filling(target: String, grant: String, expected: Bool) throws {
        #expect(try covers(grant, "read:orders:{id}", "/orders/{id}", target) == expected)
    }

    @Test(
        "A colon in the path never makes a third part out of a second",
        arguments: [
            ("/x:y/z", "read:x:y:z", false), ("/x/y:z", "read:x:y:z", true), ("/x/z", "read:x:z", true),
        ])
    func colons(target: String, grant: String, expected: Bool) throws {
        #expect(try covers(grant, "read:{kind}:{id}", "/{kind}/{id}", target) == expected)
    }

    @Test(
        "Literals and parameters mix in every part",
        arguments: [
            ("do-get:v1-orders:x.42.7", true), ("do-get:v1-orders:x.42.8", false), ("do-put:v1-orders:x.42.7", false),
            ("do-get:v2-orders:x.42.7", false), ("do-get:v1-orders:*", true), ("do-get:v1-orders:x.42.", false),
        ])
    func mixing(grant: String, expected: Bool) throws {
        let isCovered = try covers(
            grant, "do-{verb}:v1-{kind}:x.{id}.{line}", "/{verb}/{kind}/{id}/{line}", "/get/orders/42/7")
        #expect(isCovered == expected)
    }

    @Test(
        "A rest of a path is its decoded segments with slashes between",
        arguments: [
            ("/files/a/b/c", "read:files:a/b/c", true), ("/files/a", "read:files:a", true),
            ("/files/a/", "read:files:a/", true), ("/files/a/", "read:files:a", false),
            ("/files/a/b", "read:files:a", false), ("/files/a", "read:files:a/b", false),
            ("/files/a/b", "read:files:ab", false), ("/files/a/%62", "read:files:a/b", true),
            ("/files/a/b", "read:files:*", true), ("/files/a/b", "read:files:a/*", false),
        ])
    func rest(target: String, grant: String, expected: Bool) throws {
        #expect(try covers(grant, "read:files:{path}", "/files/{path...}", target) == expected)
    }

    @Test("A template that asks for every identifier is covered by * alone")
    func wildcard() throws {
        #expect(try covers("read:orders:*", "read:orders:*", "/orders", "/orders"))
        #expect(try !covers("read:orders:42", "read:orders:*", "/orders", "/orders"))
    }

    @Test(
        "A template that is malformed is refused",
        arguments: [
            ("", .parts), ("read", .parts), ("read:orders", .parts), (":orders:x", .parts), ("read::x", .parts),
            ("read:orders:", .parts), ("read:orders:{nr}", .unknownParameter("nr")),
            ("read:orders:{}", .unknownParameter("")), ("read:orders:{id", .brace), ("read:orders:id}", .brace),
            ("read:orders:{{id}}", .unknownParameter("{id")), ("read:orders:a b", .character),
            ("read:orders:\"", .character), ("read:orders:\\", .character), ("read:orders:é", .character),
            ("read:orders:\u{7f}", .character), ("read:orders:{id...}", .unknownParameter("id...")),
        ] as [(String, ScopeTemplateError)])
    func refused(text: String, expected: ScopeTemplateError) {
        #expect(throws: expected) { try ScopeTemplate(text, parameters: ["id"]) }
    }

    @Test(
        "What a challenge names is what would have to be granted, without what a scope cannot hold",
        arguments: [
            ("/orders/42", "read:orders:42"), ("/orders/a%22b", "read:orders:a%22b"),
            ("/orders/a%20b", "read:orders:a%20b"),
            ("/orders/a%3Ab", "read:orders:a:b"), ("/orders/%C3%A9", "read:orders:%C3%A9"),
            ("/orders/*", "read:orders:*"),
        ])
    func challenge(target: String, expected: String) throws {
        let route = try Trial.route("/orders/{id}", scope: "read:orders:{id}")
        let target = try Trial.target(target)
        let scope = route.requiredScope(target: target)
        #expect(scope == expected)
    }
}
