import Bytes
import Identity
import Testing

@testable import Revocation

@Suite("A revocation")
struct RevocationTests {
    private static let hexadecimal = String(repeating: "0a", count: 32)
    private static let thumbprint = String(repeating: "A", count: 43)

    /// Makes one, or tells the fault.
    private func make(
        _ level: RevocationLevel, _ value: String, issuer: String? = nil, reason: String? = nil,
        source: String = "admin",
        by: String? = nil, lives seconds: Int64 = 1
    ) -> Result<Revocation, RevocationFault> {
        Result { () throws(RevocationFault) in
            try Revocation(
                level: level, value: value, issuer: issuer, reason: reason, source: source, by: by,
                createdAt: UnixTime(seconds: 10), expiresAt: UnixTime(seconds: 10 + seconds))
        }
    }

    private func fault(_ result: Result<Revocation, RevocationFault>) -> RevocationFault? {
        guard case .failure(let fault) = result else { return nil }
        return fault
    }

    @Test(
        "A name must be written as its level asks for",
        arguments: [
            (.token, "j", "https://i", nil), (.token, "j", nil, .issuerMissing), (.token, "j", "", .issuerText),
            (.token, "", "https://i", .valueText), (.token, "j\u{e9}", "https://i", .valueText),
            (.token, "j\n", "https://i", .valueText), (.token, "j k", "https://i", .valueText),
            (.token, "j", "https:// i", .issuerText),
            (.agent, "spiffe://example.test/a", nil, nil), (.agent, "spiffe://example.test//a", nil, .spiffeID),
            (.agent, "SPIFFE://example.test/a", nil, .spiffeID), (.agent, "client-7", nil, nil),
            (.agent, "client-7", "https://i", .issuerUnexpected), (.chain, "spiffe://", nil, .spiffeID),
            (.chain, "spiffe://example.test/a", nil, nil), (.task, "o/t", nil, nil), (.task, "", nil, .valueText),
            (.task, "t", "https://i", .issuerUnexpected),
            (.certificate, hexadecimal, nil, nil), (.certificate, hexadecimal.uppercased(), nil, .fingerprint),
            (.certificate, "0A", nil, .fingerprint), (.certificate, "0A", "CN=ca", nil),
            (.certificate, "0g", "CN=ca", .serial), (.certificate, hexadecimal + "0", "CN=ca", .serial),
            (.key, thumbprint, nil, nil), (.key, thumbprint + "A", nil, .thumbprint),
            (.key, thumbprint, "https://i", .issuerUnexpected), (.everything, "*", nil, nil),
            (.everything, "all", nil, .wildcard),
        ] as [(RevocationLevel, String, String?, RevocationFault?)])
    func names(level: RevocationLevel, value: String, issuer: String?, expected: RevocationFault?) {
        #expect(fault(make(level, value, issuer: issuer)) == expected)
    }

    @Test("A value may be long, but not longer")
    func length() {
        let longest = String(repeating: "a", count: Revocation.maximumLength)
        #expect(fault(make(.task, longest)) == nil)
        #expect(fault(make(.task, longest + "a")) == .valueText)
        #expect(fault(make(.token, "j", issuer: longest + "a")) == .issuerText)
    }

    @Test("What is said about it must be readable")
    func texts() {
        #expect(fault(make(.task, "t", reason: "stolen \u{201c}laptop\u{201d}", by: "unix:uid=0")) == nil)
        #expect(fault(make(.task, "t", reason: "a\u{1b}[2J")) == .reason)
        #expect(fault(make(.task, "t", reason: "a\u{85}")) == .reason)
        #expect(fault(make(.task, "t", by: "a\nb")) == .actor)
        #expect(fault(make(.task, "t", source: "feed:x")) == nil)
        #expect(fault(make(.task, "t", source: "feed: x")) == .source)
        #expect(fault(make(.task, "t", source: "")) == .source)
    }

    @Test("It must not end before it begins")
    func expiry() {
        #expect(fault(make(.task, "t", lives: 1)) == nil)
        #expect(fault(make(.task, "t", lives: 0)) == .expiry)
    }

    @Test(
        "A task's name has a key for each of its readings",
        arguments: [
            ("t", [.task("t")]), ("o/t", [.task("o/t"), .task("t", of: "o")]),
            ("a/b/c", [.task("a/b/c"), .task("b/c", of: "a"), .task("c", of: "a/b")]),
        ] as [(String, [RevocationKey])])
    func readings(value: String, keys: [RevocationKey]) throws {
        #expect(try make(.task, value).get().keys == keys)
    }

    @Test("Every other name has one key, the one that credentials are asked for")
    func keys() throws {
        let digest = Digest256(hexadecimal: Self.hexadecimal.utf8.span) ?? .zero
        #expect(digest != .zero)
        #expect(try make(.token, "j", issuer: "i").get().keys == [.token(issuer: "i", tokenID: "j")])
        #expect(try make(.agent, "a").get().keys == [.agent("a")])
        #expect(try make(.chain, "a").get().keys == [.chain("a")])
        #expect(try make(.certificate, Self.hexadecimal).get().keys == [.certificate(digest)])
        #expect(
            try make(.certificate, "0a", issuer: "CN=ca").get().keys == [.certificate(serial: "0a", issuer: "CN=ca")])
        #expect(try make(.key, digest.base64URL).get().keys == [.key(digest)])
        #expect(try make(.everything, "*").get().keys == [.everything])
    }

    @Test("Every fault says something of its own")
    func sentences() {
        #expect(Set(RevocationFault.allCases.map(\.sentence)).count == RevocationFault.allCases.count)
    }
}
