import Identity
import Testing

@Suite("SPIFFE ID (rule I1)")
struct SPIFFEIDTests {
    private static func read(_ text: String) throws(SPIFFEIDError) -> SPIFFEID {
        let bytes = Array(text.utf8)
        return try SPIFFEID(bytes.span)
    }

    @Test(
        "A name has a trust domain and a path",
        arguments: [
            ("spiffe://example.org/agent/orch-1/t/0", "example.org", "/agent/orch-1/t/0"),
            ("spiffe://example.org", "example.org", ""),
            ("spiffe://a/b", "a", "/b"),
            ("spiffe://1.2.3.4/A-Z_a.z/...", "1.2.3.4", "/A-Z_a.z/..."),
            ("spiffe://a-b_c.d-/.hidden/x..", "a-b_c.d-", "/.hidden/x.."),
        ])
    func parts(text: String, trustDomain: String, path: String) throws {
        let name = try Self.read(text)
        #expect(name.text == text)
        #expect(name.trustDomain == trustDomain)
        #expect(name.path == path)
    }

    @Test(
        "The scheme is exactly spiffe, in lower case",
        arguments: [
            "", "s", "spiffe:", "spiffe:/", "spiffe:/example.org/a", "Spiffe://example.org/a", "SPIFFE://example.org/a",
            "https://example.org/a", " spiffe://example.org/a", "\0spiffe://example.org/a", "example.org/a",
        ])
    func scheme(text: String) {
        #expect(throws: SPIFFEIDError.scheme) { try Self.read(text) }
        #expect(throws: Never.self) { try Self.read("spiffe://example.org/a") }
    }

    @Test(
        "The trust domain holds lower-case letters, digits, dots, hyphens and underscores only",
        arguments: [
            "spiffe://", "spiffe:///a", "spiffe://Example.org/a", "spiffe://example.org:443/a",
            "spiffe://u@example.org/a",
            "spiffe://u:p@example.org/a", "spiffe://example%2eorg/a", "spiffe://exämple.org/a",
            "spiffe://example.org?q",
            "spiffe://example.org#f", "spiffe://[::1]/a", "spiffe://example org/a", "spiffe://example.org\0/a",
            "spiffe://*.example.org/a", "spiffe://a,b/c",
        ])
    func trustDomain(text: String) {
        #expect(throws: SPIFFEIDError.trustDomain) { try Self.read(text) }
        #expect(throws: Never.self) { try Self.read("spiffe://example.org/a") }
    }

    @Test(
        "The path has no empty segment, no dot segment, no slash at its end and nothing encoded",
        arguments: [
            "/", "/a/", "//a", "/a//b", "/.", "/..", "/a/.", "/a/..", "/../a", "/a/./b", "/a?q=1", "/a?", "/a#f",
            "/a%2fb",
            "/a%62", "/a b", "/a:b", "/a;b", "/a*", "/ä", "/a\0", "/a\0.evil", "/a\n", "/a\\b", "/a~", "/a,b",
        ])
    func path(path: String) {
        #expect(throws: SPIFFEIDError.path) { try Self.read("spiffe://example.org" + path) }
        #expect(throws: Never.self) { try Self.read("spiffe://example.org/a") }
    }

    @Test("A trust domain has at most 255 bytes")
    func longTrustDomain() {
        let longest = String(repeating: "a", count: 255)
        #expect(throws: Never.self) { try Self.read("spiffe://\(longest)/a") }
        #expect(throws: SPIFFEIDError.trustDomain) { try Self.read("spiffe://\(longest)a/a") }
    }

    @Test("A name has at most 2048 bytes")
    func longName() {
        let longest = "spiffe://example.org/" + String(repeating: "a", count: 2048 - 21)
        #expect(throws: Never.self) { try Self.read(longest) }
        #expect(throws: SPIFFEIDError.tooLong) { try Self.read(longest + "a") }
    }

    @Test("Bytes that are not UTF-8 are no name")
    func invalidUTF8() {
        let bytes = Array("spiffe://example.org/a".utf8) + [0xff]
        #expect(throws: SPIFFEIDError.path) { try SPIFFEID(bytes.span) }
    }

    @Test("Names are equal where their bytes are")
    func equality() throws {
        #expect(try Self.read("spiffe://a/b") == Self.read("spiffe://a/b"))
        #expect(try Self.read("spiffe://a/b") != Self.read("spiffe://a/B"))
    }
}
