/// How much one client, request or listener may ask of the gateway.
public struct Limits: Equatable, Sendable {
    /// Client connections at a time, in the whole process.
    public var connections = 10_000
    /// Connections at a time of each client certificate; 0 means no limit.
    public var connectionsPerClient = 0
    /// The head of a request (line and fields), in bytes.
    public var headerBytes = 32 << 10
    /// The fields of a request's head.
    public var headerCount = 100
    /// The body of a request, in bytes; 0 means no limit.
    public var bodyBytes: UInt64 = 0
    /// Concurrent HTTP/2 streams of a connection.
    public var streams = 128
    /// An access token, in bytes.
    public var tokenBytes = 8 << 10
    /// The tokens that an attenuating token was made out of, all together, in bytes.
    public var chainBytes = 16 << 10
    /// A DPoP or workload proof, in bytes.
    public var proofBytes = 4 << 10

    /// Makes the default limits.
    public init() {}
}
