import Testing

@testable import Revocation

@Suite("StatusListPattern")
struct StatusListPatternTests {
    @Test("One URI covers itself, byte for byte")
    func one() throws {
        let pattern = try #require(StatusListPattern("https://example.com/lists/1"))
        #expect(pattern.uri == "https://example.com/lists/1")
        #expect(pattern.covers("https://example.com/lists/1"))
        #expect(!pattern.covers("https://example.com/lists/2"))
        #expect(!pattern.covers("https://example.com/lists/1/"))
        #expect(!pattern.covers("https://EXAMPLE.com/lists/1"))
    }

    @Test("A beginning covers what lies below it")
    func prefix() throws {
        let pattern = try #require(StatusListPattern("https://example.com/lists/*"))
        #expect(pattern.uri == nil)
        #expect(pattern.covers("https://example.com/lists/1"))
        #expect(pattern.covers("https://example.com/lists/a-Z_0.9~/2"))
        #expect(!pattern.covers("https://example.com/lists"))
        #expect(!pattern.covers("https://example.com.evil/lists/1"))
    }

    @Test(
        "Nothing that a server could take for a place elsewhere is covered",
        arguments: [
            "", "..", ".", "a/../../b", "a//b", "a/", "%2e%2e/b", "a?b", "a#b", "a b", "a\\b", "a@b", "ä", "...",
        ])
    func escape(rest: String) throws {
        let pattern = try #require(StatusListPattern("https://example.com/lists/*"))
        #expect(!pattern.covers("https://example.com/lists/" + rest))
    }

    @Test(
        "A star stands at the end alone, behind a whole authority",
        arguments: [
            "https://*", "https://example.com*", "https://example.com/a*", "https://example.com/*/a",
            "https://example.com/**", "*",
        ])
    func malformed(text: String) {
        #expect(StatusListPattern(text) == nil)
    }
}
