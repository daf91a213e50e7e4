public import Bytes
public import Tokens

/// What the operator demands of every Workload Proof Token.
public struct WPTPolicy: Equatable, Sendable {
    /// How far ahead a proof's expiry may lie at most.
    public let maximumLifetime: Interval
    /// How far a client's clock may be from ours.
    public let futureSkew: Interval

    /// Makes a policy.
    public init(maximumLifetime: Interval, futureSkew: Interval) {
        self.maximumLifetime = maximumLifetime
        self.futureSkew = futureSkew
    }
}

/// The one call that a Workload Proof Token must have been made for: a view of the request that copies nothing.
public struct WPTExpectation: ~Escapable {
    /// The configured origins that the request's authority names.
    public let origins: [TargetOrigin]
    /// The path of the request in normal form.
    public let path: Span<UInt8>
    /// Further audiences that the operator accepts, compared byte for byte.
    public let aliases: [String]
    /// The Workload Identity Token as it was received.
    public let workloadToken: Span<UInt8>
    /// The OAuth access token as it was received, if there is one in the request.
    public let accessToken: Span<UInt8>?
    /// The transaction token as it was received, if there is one in the request.
    public let transactionToken: Span<UInt8>?
    /// The key that the Workload Identity Token is bound to: its `cnf.jwk`.
    public let boundKey: BoundKey

    /// Gathers what a proof must say.
    @_lifetime(copy path, copy workloadToken, copy accessToken, copy transactionToken)
    public init(
        origins: [TargetOrigin], path: Span<UInt8>, aliases: [String], workloadToken: Span<UInt8>,
        accessToken: Span<UInt8>?, transactionToken: Span<UInt8>?, boundKey: BoundKey
    ) {
        self.origins = origins
        self.path = path
        self.aliases = aliases
        self.workloadToken = workloadToken
        self.accessToken = accessToken
        self.transactionToken = transactionToken
        self.boundKey = boundKey
    }
}
