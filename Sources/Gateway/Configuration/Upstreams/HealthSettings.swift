public import Bytes

/// How it is found out that an endpoint of an upstream does not work.
public struct HealthSettings: Equatable, Sendable {
    /// Requests of our own that ask, or nothing where none are made.
    public var active: ActiveHealthSettings?
    /// What is learnt from calls, or nothing where they teach nothing.
    public var passive: PassiveHealthSettings? = PassiveHealthSettings()

    /// Makes the default: calls teach, and nothing is asked.
    public init() {}
}

/// How an endpoint is asked whether it works.
public struct ActiveHealthSettings: Equatable, Sendable {
    /// The path and query of the `GET` request; an answer of 200 to 299 says yes.
    public var path: String
    /// From the end of one request to the next.
    public var interval = Interval.seconds(10)
    /// How long the answer may take, the connection included.
    public var timeout = Interval.seconds(2)
    /// How many good answers in a row bring an endpoint back.
    public var healthyAfter = 2
    /// How many bad answers in a row take an endpoint out.
    public var unhealthyAfter = 3

    /// Makes the default for a path.
    public init(path: String) {
        self.path = path
    }
}

/// When calls that fail take an endpoint out for a while.
public struct PassiveHealthSettings: Equatable, Sendable {
    /// How many failures in a row eject.
    public var failures = 5
    /// How long the first ejection lasts; the next ones in a row last twice, thrice… as long, up to five minutes.
    public var ejectFor = Interval.seconds(30)
    /// How many of the endpoints may be ejected at a time, in percent rounded down.
    public var maximumEjected = 50

    /// Makes the default.
    public init() {}
}
