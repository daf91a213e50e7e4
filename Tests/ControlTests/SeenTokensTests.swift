import Testing

@testable import Control

@Suite("SeenTokens")
struct SeenTokensTests {
    @Test("What was seen is known, and what was not is not")
    func seen() {
        var seen = SeenTokens()
        seen.insert("a")
        seen.insert("a")
        #expect(seen.contains("a"))
        #expect(!seen.contains("b"))
        #expect(seen.count == 1)
    }

    @Test("The oldest makes room for the newest, round and round")
    func bound() {
        var seen = SeenTokens()
        for index in 0..<(2 * SeenTokens.capacity + 1) { seen.insert("\(index)") }
        #expect(seen.count == SeenTokens.capacity)
        #expect(!seen.contains("\(SeenTokens.capacity)"))
        #expect(seen.contains("\(SeenTokens.capacity + 1)"))
        #expect(seen.contains("\(2 * SeenTokens.capacity)"))
    }
}
