public import Bytes
public import Cryptography

/// Somebody whose tokens are believed, and how far.
public struct TokenIssuer: Sendable {
    /// What `iss` must be, byte for byte.
    public let issuer: String
    /// The rules that its tokens follow.
    public let profile: TokenProfile
    /// The names of which a token's `aud` must hold one, byte for byte.
    public let audiences: [String]
    /// The algorithms that it may sign with.
    public let algorithms: Set<SignatureAlgorithm>
    /// How far its clock may be from ours.
    public let clockLeeway: Interval
    /// The longest time from `iat` to `exp`.
    public let maximumTokenLifetime: Interval
    /// What it calls the claims that no standard names.
    public let claimNames: ClaimNames
    /// The trust domains whose SPIFFE IDs it may name as subjects; nothing: the listener's.
    public let trustDomains: [String]?
    /// Its public keys; none where they have not been fetched yet, or it is asked about each token.
    public private(set) var keys: KeySet
    /// Where its keys come from, or what is asked in their place.
    public let keySource: KeySource
    /// The claims that routes ask for: they are kept as they are.
    public private(set) var retainedClaims: Set<String>

    /// Makes an issuer.
    public init(
        issuer: String, profile: TokenProfile, audiences: [String], algorithms: Set<SignatureAlgorithm>,
        clockLeeway: Interval, maximumTokenLifetime: Interval, claimNames: ClaimNames, trustDomains: [String]?,
        keys: KeySet, keySource: KeySource = .file, retainedClaims: Set<String> = []
    ) {
        self.issuer = issuer
        self.profile = profile
        self.audiences = audiences
        self.algorithms = algorithms
        self.clockLeeway = clockLeeway
        self.maximumTokenLifetime = maximumTokenLifetime
        self.claimNames = claimNames
        self.trustDomains = trustDomains
        self.keys = keys
        self.keySource = keySource
        self.retainedClaims = retainedClaims
    }

    /// The same issuer with other keys.
    public func with(keys: KeySet) -> TokenIssuer {
        var issuer = self
        issuer.keys = keys
        return issuer
    }

    /// The same issuer, of whose tokens other claims are kept.
    public func with(retainedClaims: Set<String>) -> TokenIssuer {
        var issuer = self
        issuer.retainedClaims = retainedClaims
        return issuer
    }
}
