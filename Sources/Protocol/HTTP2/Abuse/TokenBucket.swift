import Bytes

/// A count of acts that are still granted: spent one by one, granted anew with time or for useful work.
struct TokenBucket: Equatable {
    private let allowance: HTTP2Allowance
    private(set) var tokens: Int
    private var filledAt: MonotonicTime?

    init(_ allowance: HTTP2Allowance) {
        self.allowance = allowance
        tokens = allowance.burst
    }

    /// Grants what the time since the last call is worth; what does not make a whole token stays on the clock.
    mutating func advance(to now: MonotonicTime) {
        guard let last = filledAt, tokens < allowance.burst, allowance.perSecond > 0 else {
            filledAt = now
            return
        }
        let missing = Int64(allowance.burst - tokens)
        let perToken = max(1, 1_000_000_000 / Int64(allowance.perSecond))
        let earned = max(0, (now - last).nanoseconds) / perToken
        guard earned < missing else {
            tokens = allowance.burst
            filledAt = now
            return
        }
        tokens += Int(earned)
        filledAt = last + Interval(nanoseconds: earned * perToken)
    }

    /// Takes `count` tokens; false where there are not as many.
    mutating func spend(_ count: Int = 1) -> Bool {
        guard tokens >= count else { return false }
        tokens -= count
        return true
    }

    /// Gives `count` tokens back, up to the burst.
    mutating func refund(_ count: Int = 1) {
        tokens = min(allowance.burst, tokens + count)
    }
}
