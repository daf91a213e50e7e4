/// How much of one worker may be under way at one upstream; what is beyond is answered with 503 at once.
public struct CircuitBreakerSettings: Equatable, Sendable {
    /// Open connections, idle ones included.
    public var connections = 1024
    /// Requests that wait for a connection to be made.
    public var pending = 1024
    /// Requests from their beginning to the end of their answers.
    public var requests = 4096

    /// Makes the default.
    public init() {}
}
