import Exchange
import Testing

@testable import sallyport

@Suite("Explanation")
struct ExplanationTests {
    private func lines(
        _ reached: ExplainedStep, _ outcome: Explanation.Outcome, _ facts: [ExplainedStep: String] = [:]
    ) -> [String] {
        Explanation(reached: reached, facts: facts, outcome: outcome, time: "2026-11-21T01:22:46Z").lines
    }

    private static let answer = ClientAnswer(
        status: 401, title: "urn:sallyport:invalid-proof: not valid",
        fields: [(name: "www-authenticate", value: "DPoP")])

    @Test("Each step has a line; those behind the last one were not reached", arguments: ExplainedStep.allCases)
    func steps(_ reached: ExplainedStep) throws {
        let told = lines(reached, .denied(Denial(.invalidProof, "dpop.htu"), Self.answer))
        let steps = Array(told[1...ExplainedStep.allCases.count])
        let place = try #require(ExplainedStep.allCases.firstIndex(of: reached))
        for (index, step) in ExplainedStep.allCases.enumerated() {
            // A chain is judged with its token, before the binding is.
            let isPassed = index < place && !(reached == .lineage && step == .binding)
            let mark = isPassed ? "passed" : index == place ? "refused      dpop.htu" : "not reached"
            #expect(steps[index].hasPrefix(step.rawValue))
            #expect(steps[index].hasSuffix(" " + mark))
        }
    }

    @Test("Every phase of a decision is a step, in the same order")
    func phases() {
        #expect(DecisionPhase.allCases.map { ExplainedStep($0) } == Array(ExplainedStep.allCases.dropFirst(2)))
    }

    @Test("A refusal tells status, code, reason, rule and the answer")
    func refusal() {
        let denial = Denial(.invalidProof, "dpop.htu", closesConnection: true)
        #expect(
            lines(.binding, .denied(denial, Self.answer)).suffix(5) == [
                "verdict     refused: 401 invalid-proof", "reason      dpop.htu",
                "rule        RFC 9449 §4.3 step 9: the proof's htu is not the URI of the request",
                "client      told 401, urn:sallyport:invalid-proof: not valid; the connection ends",
                "            www-authenticate: DPoP",
            ])
    }

    @Test("An allowed call has a verdict of one line, and every step passed")
    func allowed() {
        let told = lines(.replay, .allowed(upstream: "orders"))
        #expect(told.last == "verdict     allowed: it goes to the upstream orders")
        #expect(told.filter { $0.hasSuffix("passed") }.count == ExplainedStep.allCases.count)
    }

    @Test("A chain stands between the steps and the verdict")
    func chains() {
        let explanation = Explanation(
            reached: .replay, facts: [:], chain: ["top", "a", "+- b\n"], outcome: .allowed(upstream: "orders"),
            time: "2026-11-21T01:22:46Z")
        #expect(
            explanation.lines.suffix(6) == [
                "", "chain       top", "            a", "            +- b\\u{A}", "",
                "verdict     allowed: it goes to the upstream orders",
            ])
    }

    @Test("A nonce that explain cannot know is no fault of the call's, and is said to be none")
    func nonces() {
        let unknown = lines(.binding, .denied(Denial(.nonceRequired, "dpop.nonce-unknown"), Self.answer))
        let missing = lines(.binding, .denied(Denial(.nonceRequired, "dpop.nonce-missing"), Self.answer))
        #expect(unknown.contains { $0.hasPrefix("note") })
        #expect(!missing.contains { $0.hasPrefix("note") })
    }

    @Test(
        "What would change the terminal is escaped",
        arguments: [
            ("plain ünïcode", "plain ünïcode"), ("a\u{1B}[2Jb", "a\\u{1B}[2Jb"), ("a\nb", "a\\u{A}b"),
            ("a\u{202E}b", "a\\u{202E}b"),
        ])
    func printable(_ text: String, _ expected: String) {
        #expect(text.printable == expected)
        #expect(lines(.token, .allowed(upstream: "x"), [.target: text])[3].hasSuffix("passed       \(expected)"))
    }

    @Test("Only where it would be answered a call is allowed")
    func verdicts() {
        func isAllowed(_ outcome: Explanation.Outcome) -> Bool {
            Explanation(reached: .token, facts: [:], outcome: outcome, time: "").isAllowed
        }
        #expect(isAllowed(.allowed(upstream: "x")))
        #expect(isAllowed(.served(contentType: "x")))
        #expect(!isAllowed(.denied(Denial(.policy, "policy.scope"), Self.answer)))
        #expect(!isAllowed(.handshakeFailed(reason: "certificate.path")))
        #expect(!isAllowed(.undecided(question: "x")))
    }
}
