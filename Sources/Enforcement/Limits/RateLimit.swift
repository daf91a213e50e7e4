import Bytes

/// How much may be asked of something: what is absent is not limited.
public struct RateLimit: Equatable, Sendable {
    /// Requests a second in the long run; on a `tcp` listener, connections.
    public let requestsPerSecond: Int?
    /// Requests that may come at once after a pause.
    public let burst: Int
    /// Requests at a time: each counts from its admission until its answer has ended.
    public let concurrent: Int?
    /// Bytes of content a second, both ways together, in the long run.
    public let bytesPerSecond: UInt64?

    /// Makes a limit.
    ///
    /// - Parameters:
    ///   - requestsPerSecond: 1 to 1,000,000.
    ///   - burst: at least 1; nothing: the requests of one second.
    ///   - concurrent: at least 1.
    ///   - bytesPerSecond: at least 1.
    public init(
        requestsPerSecond: Int? = nil, burst: Int? = nil, concurrent: Int? = nil, bytesPerSecond: UInt64? = nil
    ) {
        precondition(requestsPerSecond.map { (1...1_000_000).contains($0) } ?? true, "no such rate")
        precondition(burst ?? 1 >= 1 && concurrent ?? 1 >= 1 && bytesPerSecond ?? 1 >= 1, "nothing could pass")
        self.requestsPerSecond = requestsPerSecond
        self.burst = min(burst ?? requestsPerSecond ?? 1, 1_000_000)
        self.concurrent = concurrent
        self.bytesPerSecond = bytesPerSecond
    }

    /// How long one request takes at the rate, rounded up, so that never more than the rate passes.
    var requestCost: Int64 {
        guard let rate = requestsPerSecond.map(Int64.init) else { return 0 }
        return (1_000_000_000 + rate - 1) / rate
    }

    /// How long so many bytes take at a rate, rounded down, and at most a day.
    static func cost(ofBytes count: UInt64, perSecond rate: UInt64) -> Int64 {
        let longest: UInt64 = 86_400_000_000_000
        let product = count.multipliedFullWidth(by: 1_000_000_000)
        guard product.high < rate else { return Int64(longest) }
        return Int64(min(longest, rate.dividingFullWidth(product).quotient))
    }
}

/// The limits of a listener or a route.
public struct LimitSettings: Equatable, Sendable {
    /// What all its requests together may ask, or nothing.
    public let own: RateLimit?
    /// What the requests of each agent may ask, or nothing.
    public let perAgent: RateLimit?

    /// Makes settings.
    public init(own: RateLimit? = nil, perAgent: RateLimit? = nil) {
        self.own = own
        self.perAgent = perAgent
    }
}
