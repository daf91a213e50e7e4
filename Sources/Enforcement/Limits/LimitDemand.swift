import Bytes

/// One limit that a request must keep, and what stands for its count in the table.
struct LimitDemand: Sendable {
    let key: SipHash.Value
    let limit: RateLimit
    let kind: LimitScope.Kind
    let isPerAgent: Bool

    static let none = LimitDemand(
        key: SipHash.Value(first: 0, second: 0), limit: RateLimit(), kind: .listener, isPerAgent: false)

    /// The second of bytes that may be owed, so that a short answer is not slowed down.
    private static let byteTolerance: Int64 = 1_000_000_000

    /// Why a request may not pass now, or nothing.
    func refusal(by count: borrowing LimitCount, now: Int64) -> LimitStatus? {
        var refusal: LimitStatus?
        func consider(_ measure: LimitPolicy.Measure, wait: Int64) {
            guard wait > refusal?.resetsIn.nanoseconds ?? 0 else { return }
            refusal = status(of: measure, remaining: 0, resetsIn: wait)
        }
        if limit.requestsPerSecond != nil {
            consider(.requests, wait: count.requestsDue - now - limit.requestCost * Int64(limit.burst - 1))
        }
        if limit.bytesPerSecond != nil {
            let debt = count.bytesDue - now
            if debt >= Self.byteTolerance { consider(.bytes, wait: debt - Self.byteTolerance + 1) }
        }
        // Nobody knows when another request ends.
        if let concurrent = limit.concurrent, Int(count.inFlight) >= concurrent {
            consider(.concurrent, wait: 1_000_000_000)
        }
        return refusal
    }

    /// How much is left behind a request that was counted, where requests are counted over time.
    func remainder(of count: borrowing LimitCount, now: Int64) -> LimitStatus? {
        guard limit.requestsPerSecond != nil else { return nil }
        let taken = max(0, count.requestsDue - now)
        let left = max(0, limit.requestCost * Int64(limit.burst) - taken) / limit.requestCost
        return status(of: .requests, remaining: UInt64(left), resetsIn: taken)
    }

    /// How long the bytes that were counted keep others waiting.
    func byteDelay(of count: borrowing LimitCount, now: Int64) -> Int64 {
        max(0, count.bytesDue - now - Self.byteTolerance)
    }

    private func status(of measure: LimitPolicy.Measure, remaining: UInt64, resetsIn: Int64) -> LimitStatus {
        let (quota, window): (UInt64, Int64?) =
            switch measure {
            case .requests: (UInt64(limit.burst), limit.requestCost * Int64(limit.burst))
            case .bytes: (limit.bytesPerSecond ?? 0, Self.byteTolerance)
            case .concurrent: (UInt64(limit.concurrent ?? 0), nil)
            }
        return LimitStatus(
            policy: LimitPolicy(
                kind: kind, isPerAgent: isPerAgent, measure: measure, quota: quota,
                // To whole seconds, rounded up, but for what the rounding of one request's time adds.
                window: window.map { .seconds(max(1, ($0 - Int64(limit.burst) + 999_999_999) / 1_000_000_000)) }),
            remaining: remaining, resetsIn: Interval(nanoseconds: resetsIn))
    }
}
