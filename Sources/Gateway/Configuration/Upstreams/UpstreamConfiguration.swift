public import Bytes

/// A service behind the gateway.
public struct UpstreamConfiguration: Equatable, Sendable {
    /// The name that routes use.
    public var name: String
    /// Where it can be reached; at least one, all of them in plain HTTP or all over TLS.
    public var targets: [UpstreamTarget]
    /// What it speaks.
    public var speaks = UpstreamProtocol.http11
    /// Whom its certificate must name and who we are to it; present if the targets are over TLS, and only then.
    public var tls: UpstreamTLS?
    /// How a call's endpoint is chosen.
    public var balance = BalancingPolicy.roundRobin
    /// How it is found out that an endpoint does not work.
    public var health = HealthSettings()
    /// How often a request may be sent again.
    public var retries = RetrySettings()
    /// How much may be under way.
    public var breaker = CircuitBreakerSettings()
    /// How long the gateway waits for it.
    public var timeouts = UpstreamTimeouts()
    /// Whether each connection begins with a PROXY v2 header that names the client.
    ///
    /// A connection then belongs to one client's connection.
    public var sendsProxyHeader = false
    /// The longest time between two look-ups of a named target.
    public var dnsRefresh = Interval.seconds(30)

    /// Makes an upstream with the defaults of everything else.
    public init(name: String, targets: [UpstreamTarget]) {
        self.name = name
        self.targets = targets
    }

    /// What holds for this upstream: the timeouts of its own, and the global ones of the rest.
    public func timeouts(over global: Timeouts) -> (connect: Interval, response: Interval, idle: Interval) {
        (
            timeouts.connect ?? global.upstreamConnect, timeouts.response ?? global.upstreamResponse,
            timeouts.idle ?? global.idle
        )
    }
}
