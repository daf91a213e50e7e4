public import Bytes
import Synchronization

/// Whether a request may pass the limits.
public enum Admission: ~Copyable {
    /// It may, and is counted; it is under way until the lease ends.
    case admitted(LimitLease)
    /// It may not, for now, by the limit that it would have to wait for the longest; nothing was counted.
    case limited(LimitStatus)
    /// So many are counted that there is no room to count this one: it may not pass, and nothing was counted.
    case full
}

/// All that is counted for limits: one for all workers, and it outlives reloads.
///
/// - **Rates** are kept by the generic cell rate algorithm (ITU-T I.371): one number for each key, no windows at whose edges twice
///   as much could pass. **Bytes** are known only when they have passed: they make a debt, and while more is owed than one
///   second's worth, nothing is admitted.
/// - **All or nothing.** A request may have to keep four limits: of the listener and of the route, of all and of its agent. It is
///   counted for all of them or for none, in one step, so an agent that is over its own limit takes nothing of what is everyone's.
/// - **Capacity.** What is idle says no more than what is absent and is forgotten when its place is needed. Where everything
///   is in use, a new key is refused: it is not let pass uncounted.
/// - **Hashing.** An agent's key is hashed with a secret, so nobody can choose agents that meet.
public final class LimitTable: Sendable {
    /// The number of keys in use that it can hold at least.
    public let capacity: Int

    private let hash: SipHash
    private let shards: [LockedLimitShard]

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - capacity: how many keys in use it must be able to hold.
    ///   - secret: 16 random bytes, new with every start and never told.
    public init(capacity: Int = 100_000, secret: [UInt8]) {
        precondition(capacity > 0, "no room")
        self.capacity = capacity
        hash = SipHash(key: secret)
        var count = 1
        while count < 64, capacity / (count * 2) >= 256 { count *= 2 }
        let mean = Double(capacity) / Double(count)
        // Six standard deviations to spare: hashes spread evenly, but not exactly.
        let limit = count == 1 ? capacity : Int((mean + 6 * mean.squareRoot()).rounded(.up))
        shards = (0..<count).map { _ in LockedLimitShard(limit: limit) }
    }

    /// What stands for an agent: by its SPIFFE ID, its subject, or its certificate.
    public func agent(_ identity: Span<UInt8>) -> LimitAgent { LimitAgent(key: hash(identity)) }

    /// Lets a request pass if every limit of what it asks allows, and counts it.
    ///
    /// - Parameters:
    ///   - first: a listener or a route that has limits, or nothing.
    ///   - second: another.
    ///   - agent: who asks.
    ///   - now: the time.
    public func admit(
        _ first: LimitScope?, _ second: LimitScope? = nil, agent: LimitAgent, now: MonotonicTime
    ) -> Admission {
        var demands = LimitDemands()
        if let first { demands.add(first, agent) }
        if let second { demands.add(second, agent) }
        demands.sort { shard(of: $0) }
        var outcome = Outcome()
        _ = judge(demands, from: 0, now: now.nanoseconds, &outcome)
        if outcome.isFull { return .full }
        if let refusal = outcome.refusal { return .limited(refusal) }
        return .admitted(LimitLease(table: self, demands: demands, status: outcome.remainder))
    }

    /// The number of keys that it holds, with those that are idle but whose place nobody needed yet.
    public var count: Int { shards.reduce(0) { sum, box in sum + box.shard.withLock { $0.taken } } }

    /// The number of bytes that it takes at the moment.
    public var byteCount: Int { shards.reduce(0) { sum, box in sum + box.shard.withLock { $0.byteCount } } }

    /// Counts bytes for every limit of a request, and ends it where `isOver`.
    ///
    /// - Returns: how long until the debt is down to what is allowed.
    func settle(_ demands: LimitDemands, bytes: UInt64, isOver: Bool, now: MonotonicTime?) -> Interval {
        var delay: Int64 = 0
        for index in 0..<demands.count {
            let demand = demands[index]
            shards[shard(of: demand)].shard.withLock { shard in
                guard let place = shard.place(of: demand.key) else { return }
                if isOver { shard[place].inFlight -= 1 }
                guard bytes > 0, let now, let rate = demand.limit.bytesPerSecond else { return }
                shard[place].countBytes(bytes, perSecond: rate, now: now.nanoseconds)
                delay = max(delay, demand.byteDelay(of: shard[place], now: now.nanoseconds))
            }
        }
        return Interval(nanoseconds: delay)
    }

    /// Gives back what a request was counted for.
    func refund(_ demands: LimitDemands) {
        for index in 0..<demands.count {
            let demand = demands[index]
            shards[shard(of: demand)].shard.withLock { shard in
                guard let place = shard.place(of: demand.key) else { return }
                shard[place].inFlight -= 1
                shard[place].requestsDue -= demand.limit.requestCost
            }
        }
    }

    // MARK: All or nothing

    private struct Outcome {
        var isFull = false
        /// The refusal that lasts longest.
        var refusal: LimitStatus?
        /// Of the agent's limits, the one of which least is left.
        var remainder: LimitStatus?

        var isAdmitted: Bool { !isFull && refusal == nil }
    }

    /// Judges the demands from `start` on, with the locks of those before held, then counts all or none.
    ///
    /// Locks are taken in the order of the shards, so that no two requests wait for each other. A demand is
    /// under way as soon as it is judged, which keeps its place from being taken by another of the same shard.
    private func judge(_ demands: LimitDemands, from start: Int, now: Int64, _ outcome: inout Outcome) -> Bool {
        guard start < demands.count else { return outcome.isAdmitted }
        let index = shard(of: demands[start])
        var end = start + 1
        while end < demands.count, shard(of: demands[end]) == index { end += 1 }
        return shards[index].shard.withLock { shard in
            var judged = start
            while judged < end, Self.judge(demands[judged], in: &shard, now: now, &outcome) { judged += 1 }
            let isAdmitted = judge(demands, from: end, now: now, &outcome)
            for index in start..<judged {
                Self.close(demands[index], in: &shard, isAdmitted: isAdmitted, now: now, &outcome)
            }
            return isAdmitted
        }
    }

    /// Judges one demand and keeps its place; whether there was one.
    private static func judge(
        _ demand: LimitDemand, in shard: inout LimitShard, now: Int64, _ outcome: inout Outcome
    ) -> Bool {
        guard let place = shard.place(for: demand.key, now: now) else {
            outcome.isFull = true
            return false
        }
        if let refusal = demand.refusal(by: shard[place], now: now),
            refusal.resetsIn > outcome.refusal?.resetsIn ?? .zero
        {
            outcome.refusal = refusal
        }
        shard[place].inFlight += 1
        return true
    }

    /// Counts one demand whose place was kept, or gives the place back.
    private static func close(
        _ demand: LimitDemand, in shard: inout LimitShard, isAdmitted: Bool, now: Int64, _ outcome: inout Outcome
    ) {
        guard let place = shard.place(of: demand.key) else { return }
        guard isAdmitted else {
            shard[place].inFlight -= 1
            return
        }
        shard[place].countRequest(cost: demand.limit.requestCost, now: now)
        guard demand.isPerAgent, let remainder = demand.remainder(of: shard[place], now: now),
            remainder.remaining < outcome.remainder?.remaining ?? .max
        else { return }
        outcome.remainder = remainder
    }

    private func shard(of demand: LimitDemand) -> Int {
        Int(truncatingIfNeeded: demand.key.second & UInt64(shards.count - 1))
    }
}

/// A part of the table behind a lock of its own.
private final class LockedLimitShard: Sendable {
    let shard: Mutex<LimitShard>

    init(limit: Int) {
        shard = Mutex(LimitShard(limit: limit))
    }
}
