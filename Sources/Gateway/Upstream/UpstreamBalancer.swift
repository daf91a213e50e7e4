public import Bytes
public import Configuration

/// Chooses the endpoint of each request to one upstream: one worker's, told of all that happens there.
///
/// Left out are endpoints that active checks found unhealthy and those that failing calls have ejected. If that leaves none,
/// all of them are chosen from, as Envoy does: it is likelier then that the judgement is wrong than that all are down, and
/// nothing is less safe, since whoever answers is authenticated all the same. Envoy does so as soon as half of them are out; here one
/// that works suffices.
public struct UpstreamBalancer: Sendable {
    /// Where a request is to go.
    public enum Choice: Equatable, Sendable {
        /// To this endpoint.
        case endpoint(EndpointID)
        /// Nowhere: no address is known.
        case none
        /// Nowhere: too much is under way.
        case overloaded(CircuitBreaker.Limit)
    }

    /// Counts what is under way, and says when it is too much.
    public private(set) var breaker: CircuitBreaker
    private var policy: BalancingPolicy
    private var passive: PassiveHealthSettings?
    private var retries: RetrySettings
    private var budget: RetryBudget
    private var table: EndpointTable
    private var ring = HashRing()

    /// The slots that are chosen from, in the order of the list.
    private var candidates: [Int] = []
    /// When that may change by itself: an ejection ends.
    private var candidatesEnd: MonotonicTime?
    private var areCandidatesKnown = false
    /// Round robin's place, at random to begin with, so that workers do not start in step.
    private var cursor: Int?

    /// Makes a balancer that has seen nothing.
    public init(_ upstream: UpstreamConfiguration, endpoints: [UpstreamEndpoint]) {
        policy = upstream.balance
        passive = upstream.health.passive
        retries = upstream.retries
        breaker = CircuitBreaker(upstream.breaker)
        budget = RetryBudget(percent: upstream.retries.budget)
        table = EndpointTable(isAsked: upstream.health.active != nil)
        update(endpoints: endpoints)
    }

    // MARK: Endpoints

    /// Takes over new settings after a reload; what is under way stays counted, and endpoints that stay keep their state.
    public mutating func adopt(_ upstream: UpstreamConfiguration, endpoints: [UpstreamEndpoint]) {
        policy = upstream.balance
        passive = upstream.health.passive
        retries = upstream.retries
        breaker.settings = upstream.breaker
        budget.percent = upstream.retries.budget
        table.setAsked(upstream.health.active != nil)
        if passive == nil { table.forgiveAll() }
        update(endpoints: endpoints)
    }

    /// Chooses from these endpoints from now on; those that stay keep their state.
    public mutating func update(endpoints: [UpstreamEndpoint]) {
        table.update(endpoints)
        ring = policy == .agentHash ? HashRing(table.names) : HashRing()
        areCandidatesKnown = false
    }

    /// The endpoints in the order of the list.
    public var endpoints: [UpstreamEndpoint] { table.order.compactMap { table.slots[$0].endpoint } }

    /// The endpoint of that name, or nothing where the list has it no longer.
    public func endpoint(_ id: EndpointID) -> UpstreamEndpoint? {
        table.index(of: id).flatMap { table.slots[$0].endpoint }
    }

    /// Takes note of what active checks have found of an endpoint.
    ///
    /// An ejection goes on all the same; Envoy ends it. That the path of the check is answered does not say why calls fail.
    public mutating func markHealth(_ endpoint: UpstreamEndpoint, isHealthy: Bool) {
        guard let index = table.index(of: endpoint) else { return }
        table.slots[index].isHealthy = isHealthy
        areCandidatesKnown = false
    }

    /// Whether calls are sent to an endpoint while there are others.
    public func isAvailable(_ endpoint: UpstreamEndpoint, now: MonotonicTime) -> Bool {
        table.index(of: endpoint).map { table.slots[$0].isAvailable(now: now) } ?? false
    }

    // MARK: Choosing

    /// Chooses an endpoint for an attempt of a request.
    ///
    /// - Parameters:
    ///   - agentHash: the agent's place, see ``AgentHash``; only ``BalancingPolicy/agentHash`` asks.
    ///   - random: 64 unpredictable bits.
    ///   - tried: the endpoints of the earlier attempts, which are chosen again only where there is no other.
    ///   - now: the moment.
    public mutating func choose(
        agentHash: UInt64, random: UInt64, excluding tried: [EndpointID] = [], now: MonotonicTime
    ) -> Choice {
        if let limit = breaker.requestRefusal { return .overloaded(limit) }
        findCandidates(now: now)
        let index =
            switch policy {
            case .roundRobin: nextInTurn(random, tried)
            case .leastRequests: lessLoaded(random, tried)
            case .agentHash: nextOnRing(agentHash, tried)
            }
        guard let index else { return .none }
        return .endpoint(table.id(of: index))
    }

    private mutating func findCandidates(now: MonotonicTime) {
        if areCandidatesKnown, candidatesEnd.map({ now < $0 }) ?? true { return }
        (candidates, candidatesEnd) = table.available(now: now)
        areCandidatesKnown = true
    }

    private func isUntried(_ index: Int, _ tried: [EndpointID]) -> Bool {
        tried.isEmpty || !tried.contains(table.id(of: index))
    }

    private mutating func nextInTurn(_ random: UInt64, _ tried: [EndpointID]) -> Int? {
        guard !candidates.isEmpty else { return nil }
        let count = candidates.count
        let start = cursor.map { $0 % count } ?? Self.pick(of: count, random)
        for offset in 0..<count where isUntried(candidates[(start + offset) % count], tried) {
            cursor = (start + offset) % count + 1
            return candidates[(start + offset) % count]
        }
        cursor = start + 1
        return candidates[start]
    }

    /// The power of two choices: near to the best of all, without a look at all, and without all workers choosing the same.
    private func lessLoaded(_ random: UInt64, _ tried: [EndpointID]) -> Int? {
        guard candidates.count > 1 else { return candidates.first }
        let first = Self.pick(of: candidates.count, random)
        let other = Self.pick(of: candidates.count - 1, random << 32)
        let second = other < first ? other : other + 1
        let pair = (candidates[first], candidates[second])
        switch (isUntried(pair.0, tried), isUntried(pair.1, tried)) {
        case (true, false): return pair.0
        case (false, true): return pair.1
        case (true, true): return lighter(pair.0, pair.1)
        case (false, false):
            let untried = candidates.filter { isUntried($0, tried) }
            return untried.min { table.slots[$0].active < table.slots[$1].active } ?? lighter(pair.0, pair.1)
        }
    }

    private func lighter(_ first: Int, _ second: Int) -> Int {
        table.slots[second].active < table.slots[first].active ? second : first
    }

    private func nextOnRing(_ hash: UInt64, _ tried: [EndpointID]) -> Int? {
        ring.first(from: hash) { table.slots[$0].isCandidate && isUntried($0, tried) }
            ?? ring.first(from: hash) { table.slots[$0].isCandidate }
    }

    /// A number below `count` by the upper half of `random`.
    private static func pick(of count: Int, _ random: UInt64) -> Int {
        Int(((random >> 32) &* UInt64(count)) >> 32)
    }

    // MARK: What happens

    /// An attempt of a request is given to an endpoint; ``ended(_:_:now:)`` must follow.
    ///
    /// - Parameters:
    ///   - id: the endpoint.
    ///   - isRetry: the request has been attempted before.
    ///   - now: the moment.
    public mutating func began(_ id: EndpointID, isRetry: Bool = false, now: MonotonicTime) {
        breaker.requestBegan()
        if !isRetry { budget.requestBegan(now: now) }
        if let index = table.index(of: id) { table.slots[index].active += 1 }
    }

    /// The attempt is over.
    ///
    /// - Parameters:
    ///   - id: the endpoint; it may have gone meanwhile.
    ///   - outcome: what that teaches about it.
    ///   - now: the moment.
    /// - Returns: whether the endpoint was ejected for it.
    @discardableResult
    public mutating func ended(_ id: EndpointID, _ outcome: EndpointOutcome, now: MonotonicTime) -> Bool {
        breaker.requestEnded()
        guard let index = table.index(of: id) else { return false }
        table.slots[index].active -= 1
        switch outcome {
        case .cancelled: return false
        case .success:
            table.slots[index].outlier.succeeded()
            return false
        case .failure: return failed(index, now: now)
        }
    }

    /// Counts a failure and ejects the endpoint for it, if it is one too many and not too many others are out.
    private mutating func failed(_ index: Int, now: MonotonicTime) -> Bool {
        // What was under way when an endpoint was ejected says nothing new.
        guard let passive, !table.slots[index].outlier.isEjected(now: now) else { return false }
        guard table.slots[index].outlier.failed(limit: passive.failures) else { return false }
        guard (table.ejected(now: now) + 1) * 100 <= passive.maximumEjected * table.order.count else { return false }
        table.slots[index].outlier.eject(for: passive.ejectFor, now: now)
        areCandidatesKnown = false
        return true
    }

    /// Whether a request may be sent again; if so, that is counted, and the next attempt must follow.
    ///
    /// - Parameters:
    ///   - failure: how the last attempt failed.
    ///   - attempt: what is known of the request.
    ///   - made: how often it has been attempted so far, at least 1.
    ///   - now: the moment.
    public mutating func takeRetry(
        after failure: RetryRule.Failure, of attempt: RetryRule.Attempt, made: Int, now: MonotonicTime
    ) -> Bool {
        guard made <= retries.attempts, RetryRule.allows(after: failure, of: attempt) else { return false }
        // Nothing has reached the service, so trying another endpoint adds nothing to its load.
        if failure == .unconnected { return true }
        return budget.takeRetry(now: now)
    }

    /// A connection is being made; ``connectionClosed()`` must follow once.
    public mutating func connectionOpened() { breaker.connectionOpened() }

    /// A connection is gone, whether it was ever made or not.
    public mutating func connectionClosed() { breaker.connectionClosed() }

    /// A request waits for a connection that is being made; ``waitEnded()`` must follow.
    public mutating func waitBegan() { breaker.waitBegan() }

    /// A request has its connection, or does not wait for it any more.
    public mutating func waitEnded() { breaker.waitEnded() }
}
