import Bytes
import JSON
import Support
import Testing

@testable import Tokens

@Suite("Claims that routes ask for")
struct ClaimValueTests {
    private func value(_ json: String) throws -> ClaimValue? {
        let document = try JSONDocument(json.utf8.span)
        return ClaimValue(document.root)
    }

    @Test(
        "Text, whole numbers, truth values and lists of them are kept",
        arguments: [
            (#""m-1""#, .text("m-1")), (#""""#, .text("")), (#""\u00e9""#, .text("é")), ("3", .number(3)),
            ("-1", .number(-1)), ("true", .bool(true)), ("false", .bool(false)), ("[]", .list([])),
            (#"["a",1,true]"#, .list([.text("a"), .number(1), .bool(true)])),
        ] as [(String, ClaimValue)])
    func kept(json: String, expected: ClaimValue) throws {
        #expect(try value(json) == expected)
    }

    @Test(
        "Anything else is not",
        arguments: [
            "null", "{}", "1.5", "1e2", "99999999999999999999", "[null]", "[[]]", #"["a",{}]"#, #"["a",["b"]]"#,
        ])
    func notKept(json: String) throws {
        #expect(try value(json) == nil)
    }

    @Test("Values are equal by kind and by bytes")
    func equality() {
        #expect(ClaimValue.text("1") != .number(1))
        #expect(ClaimValue.number(1) != .bool(true))
        #expect(ClaimValue.text("caf\u{e9}") != .text("cafe\u{301}"))
        #expect(ClaimValue.text("caf\u{e9}") == .text("caf\u{e9}"))
        #expect(ClaimValue.list([.text("a")]) == .list([.text("a")]))
        #expect(ClaimValue.list([.text("a")]) != .text("a"))
    }

    @Test("Only the claims that are asked for are kept, under their names")
    func retained() throws {
        let broker = try Broker.standard()
        let table = IssuerTable([try broker.issuer(retainedClaims: ["model", "config_digest", "absent", "cnf"])])
        let token = try broker.token([
            "model": #""m-1""#, "config_digest": #"["sha256:a","sha256:b"]"#, "other": #""x""#, "cnf": "{}",
        ])
        let claims = try verdict(token, table).get()
        #expect(
            claims.retained == [
                "model": .text("m-1"), "config_digest": .list([.text("sha256:a"), .text("sha256:b")]),
            ])
        #expect(try verdict(token, broker.table()).get().retained.isEmpty)
        #expect(try broker.issuer().with(retainedClaims: ["a"]).retainedClaims == ["a"])
    }

    @Test("RFC 9470: How and when the human was authenticated is read")
    func authentication() throws {
        let broker = try Broker.standard()
        let token = try broker.token(["acr": #""urn:example:loa:2""#, "auth_time": "1799999990.5"])
        let claims = try verdict(token, broker.table()).get()
        #expect(claims.authenticationContext == "urn:example:loa:2")
        #expect(claims.authenticatedAt == UnixTime(nanoseconds: 1_799_999_990_500_000_000))
        let without = try verdict(broker.token(), broker.table()).get()
        #expect(without.authenticationContext == nil && without.authenticatedAt == nil)
    }
}
