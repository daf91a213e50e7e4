import Configuration
import Testing
import Upstream

@Suite("RetryRule")
struct RetryRuleTests {
    private static func attempt(
        repeatable: Bool = true, contentLeft: Bool = false, answerBegan: Bool = false
    ) -> RetryRule.Attempt {
        RetryRule.Attempt(isRepeatable: repeatable, contentLeft: contentLeft, answerBegan: answerBegan)
    }

    @Test(
        "What cannot have happened may be tried again, and what may be repeated after a connection broke",
        arguments: [
            (RetryRule.Failure.unconnected, attempt()), (.unconnected, attempt(repeatable: false)),
            (.notProcessed, attempt()), (.notProcessed, attempt(repeatable: false)), (.broken, attempt()),
        ])
    func allows(_ failure: RetryRule.Failure, _ attempt: RetryRule.Attempt) {
        #expect(RetryRule.allows(after: failure, of: attempt))
    }

    @Test(
        "What may have happened, or cannot be said again, is not",
        arguments: [
            (RetryRule.Failure.broken, attempt(repeatable: false)), (.broken, attempt(answerBegan: true)),
            (.timedOut, attempt()), (.malformed, attempt()), (.unconnected, attempt(contentLeft: true)),
            (.notProcessed, attempt(contentLeft: true)), (.notProcessed, attempt(answerBegan: true)),
        ])
    func refuses(_ failure: RetryRule.Failure, _ attempt: RetryRule.Attempt) {
        #expect(!RetryRule.allows(after: failure, of: attempt))
    }

    @Test("A request is sent again as often as is configured", arguments: [0, 1, 3])
    func attempts(_ allowed: Int) {
        var balancer = UpstreamBalancer(
            Trial.upstream { $0.retries.attempts = allowed }, endpoints: Trial.endpoints(0..<1))
        var made = 1
        while balancer.takeRetry(after: .unconnected, of: Self.attempt(), made: made, now: Trial.time(0)) { made += 1 }
        #expect(made == allowed + 1)
    }

    @Test("A retry that the rule refuses spends nothing")
    func spendsNothing() {
        var balancer = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<1))
        for _ in 0..<10 {
            #expect(balancer.takeRetry(after: .timedOut, of: Self.attempt(), made: 1, now: Trial.time(0)) == false)
        }
        for _ in 0..<RetryBudget.minimum {
            #expect(balancer.takeRetry(after: .broken, of: Self.attempt(), made: 1, now: Trial.time(0)) == true)
        }
        #expect(balancer.takeRetry(after: .broken, of: Self.attempt(), made: 1, now: Trial.time(0)) == false)
    }
}
