import Bytes

extension AgentRequest {
    /// A sub-agent that works on its delegator's task, for the same human, with no more than the delegator holds.
    ///
    /// - Parameters:
    ///   - delegator: who delegates.
    ///   - scopes: what the sub-agent is to hold.
    ///   - lifetime: how long, or nothing for five minutes at most; it ends with the delegator's token at the latest.
    ///   - forgery: what is made wrong on purpose.
    ///   - now: when that is.
    init(
        from delegator: TrialDelegator, scopes: [String], lifetime: Interval?, forging forgery: DelegationForgery?,
        now: UnixTime
    ) throws {
        let rest = delegator.expiry - now
        guard rest > .zero else {
            throw CommandFailure.couldNotRun("the delegator's token has expired; make that agent anew")
        }
        guard lifetime.map({ $0 <= rest }) ?? true else {
            throw CommandFailure.couldNotRun("the sub-agent would outlive its delegator's token; give a shorter --ttl")
        }
        if forgery != .widen, let scope = scopes.first(where: { !delegator.holds($0) }) {
            throw CommandFailure.couldNotRun(
                "the delegator does not hold \(scope); ask for what it holds, or give --forge widen to see that refused"
            )
        }
        self.init(orchestration: delegator.orchestration, task: delegator.task)
        sponsor = delegator.sponsor
        self.scopes = scopes
        self.lifetime = lifetime ?? min(self.lifetime, rest)
        binding = .svid
        self.delegator = delegator
        self.forgery = forgery
    }
}
