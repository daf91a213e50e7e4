public import Bytes

/// Bounds the further attempts of all requests to one upstream by a share of its recent requests.
///
/// When an upstream fails altogether, one further attempt of each request would double the load at the worst moment. Counted
/// are the last ten seconds, in steps of one. Envoy's budget is of the requests under way; with an upstream that fails at once
/// hardly any are under way, and nothing would be bounded.
public struct RetryBudget: Sendable {
    /// How many further attempts the requests of ten seconds always have.
    public static let minimum = 3

    private static let steps = 10
    private static let step = Interval.seconds(1).nanoseconds

    private struct Counts: Sendable {
        var requests = 0
        var retries = 0
    }

    /// Further attempts, in percent of requests.
    public var percent: Int
    private var window = [Counts](repeating: Counts(), count: steps)
    private var total = Counts()
    /// The number of the present second.
    private var present: Int64?

    /// Makes a budget of which nothing is spent.
    public init(percent: Int) {
        self.percent = percent
    }

    /// Counts a request, not its further attempts.
    public mutating func requestBegan(now: MonotonicTime) {
        advance(to: now)
        window[index].requests += 1
        total.requests += 1
    }

    /// Spends a further attempt, if there is one left.
    public mutating func takeRetry(now: MonotonicTime) -> Bool {
        advance(to: now)
        guard total.retries < max(Self.minimum, total.requests * percent / 100) else { return false }
        window[index].retries += 1
        total.retries += 1
        return true
    }

    private var index: Int { Int((present ?? 0) % Int64(Self.steps)) }

    /// Forgets what is older than ten seconds.
    private mutating func advance(to now: MonotonicTime) {
        let second = max(0, now.nanoseconds / Self.step)
        guard let last = present, second - last < Int64(Self.steps) else {
            window = [Counts](repeating: Counts(), count: Self.steps)
            total = Counts()
            present = second
            return
        }
        guard second > last else { return }
        for passed in (last + 1)...second {
            let index = Int(passed % Int64(Self.steps))
            total.requests -= window[index].requests
            total.retries -= window[index].retries
            window[index] = Counts()
        }
        present = second
    }
}
