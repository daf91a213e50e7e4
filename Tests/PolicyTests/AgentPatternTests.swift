import Bytes
import Identity
import Policy
import Testing

@Suite("Patterns of agents")
struct AgentPatternTests {
    private func matches(_ pattern: String, _ identifier: String) throws -> Bool {
        let pattern = try #require(AgentPattern(pattern))
        return try pattern.matches(SPIFFEID(identifier.utf8.span))
    }

    @Test(
        "A pattern means one ID, or all below a path",
        arguments: [
            ("spiffe://a.test/db", "spiffe://a.test/db", true), ("spiffe://a.test/db", "spiffe://a.test/db2", false),
            ("spiffe://a.test/db", "spiffe://a.test/db/x", false), ("spiffe://a.test/db", "spiffe://a.test/d", false),
            ("spiffe://a.test/db", "spiffe://a.test/DB", false), ("spiffe://a.test", "spiffe://a.test", true),
            ("spiffe://a.test", "spiffe://a.test/x", false),
            ("spiffe://a.test/agent/*", "spiffe://a.test/agent/x", true),
            ("spiffe://a.test/agent/*", "spiffe://a.test/agent/x/y/z", true),
            ("spiffe://a.test/agent/*", "spiffe://a.test/agent", false),
            ("spiffe://a.test/agent/*", "spiffe://a.test/agents/x", false),
            ("spiffe://a.test/agent/*", "spiffe://b.test/agent/x", false),
            ("spiffe://a.test/agent/*", "spiffe://a.test.b/agent/x", false),
            ("spiffe://a.test/*", "spiffe://a.test/x", true), ("spiffe://a.test/*", "spiffe://a.test", false),
            ("spiffe://a.test/*", "spiffe://a.testb/x", false),
        ])
    func meaning(_ pattern: String, _ identifier: String, _ expected: Bool) throws {
        #expect(try matches(pattern, identifier) == expected)
    }

    @Test(
        "What is neither is no pattern",
        arguments: [
            "", "*", "/*", "spiffe://", "spiffe:///*", "spiffe://*", "spiffe://*/agent", "spiffe://a.test/ag*",
            "spiffe://a.test/*/x", "spiffe://a.test/**", "spiffe://a.test/x/", "spiffe://a.test//*",
            "spiffe://A.test/*",
            "spiffe://a.test/../*", "https://a.test/*", "spiffe://a.test/x/* ", "spiffe://a.test:1/*",
        ])
    func refused(_ text: String) {
        #expect(AgentPattern(text) == nil)
    }

    @Test("A pattern is of one trust domain")
    func trustDomain() throws {
        #expect(try #require(AgentPattern("spiffe://a.test/agent/*")).trustDomain == "a.test")
    }
}
