public import Bytes
public import Cryptography

/// What the operator demands of every DPoP proof.
public struct DPoPPolicy: Equatable, Sendable {
    /// The algorithms that proofs may be signed with, in the order in which a challenge lists them.
    public let algorithms: [SignatureAlgorithm]
    /// How long after it was made a proof is accepted.
    public let acceptWindow: Interval
    /// How far a client's clock may be ahead.
    public let futureSkew: Interval

    /// Makes a policy.
    public init(algorithms: [SignatureAlgorithm], acceptWindow: Interval, futureSkew: Interval) {
        self.algorithms = algorithms
        self.acceptWindow = acceptWindow
        self.futureSkew = futureSkew
    }
}

/// The one call that a DPoP proof must have been made for: a view of the request that allocates nothing.
public struct DPoPExpectation: ~Escapable {
    /// The method as it was received (RFC 9110 §9.1: case matters).
    public let method: Span<UInt8>
    /// The configured origins that the request's authority names.
    public let origins: [TargetOrigin]
    /// The path of the request in normal form.
    public let path: Span<UInt8>
    /// The access token as it was received.
    public let token: Span<UInt8>
    /// The thumbprint of the key that the access token is bound to: its `cnf.jkt`.
    public let boundKey: Digest256

    /// Gathers what a proof must say.
    @_lifetime(copy method, copy path, copy token)
    public init(
        method: Span<UInt8>, origins: [TargetOrigin], path: Span<UInt8>, token: Span<UInt8>, boundKey: Digest256
    ) {
        self.method = method
        self.origins = origins
        self.path = path
        self.token = token
        self.boundKey = boundKey
    }
}
