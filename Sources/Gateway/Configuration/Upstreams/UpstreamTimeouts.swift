public import Bytes

/// How long the gateway waits for one upstream; what is absent is as in the section `timeouts`.
public struct UpstreamTimeouts: Equatable, Sendable {
    /// For a connection, its TLS handshake included.
    public var connect: Interval?
    /// From the end of a request to the head of its answer.
    public var response: Interval?
    /// Without a byte in either direction, and unused in the pool.
    public var idle: Interval?

    /// Makes the default: none of its own.
    public init() {}
}
