public import Bytes

/// How long the gateway waits.
public struct Timeouts: Equatable, Sendable {
    /// From accepting a connection to the end of its TLS handshake.
    public var handshake = Interval.seconds(5)
    /// From the first byte of a request to the end of its head.
    public var head = Interval.seconds(10)
    /// Without a byte in either direction.
    public var idle = Interval.seconds(75)
    /// For a connection to an upstream.
    public var upstreamConnect = Interval.seconds(2)
    /// From the end of a request to the head of the upstream's answer.
    public var upstreamResponse = Interval.seconds(30)
    /// From the signal to stop until no more connections are taken: the time for those who watch `/readyz` to notice.
    public var drainNotice = Interval.seconds(0)
    /// From the signal to stop until what is still open is cut off.
    public var drain = Interval.seconds(30)

    /// Makes the default timeouts.
    public init() {}
}
