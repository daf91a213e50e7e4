public import Possession

/// What a request must show to pass by a route.
public struct RouteRequirement: Sendable {
    /// The issuers whose tokens are accepted; none listed: no token is.
    public let issuers: [String]
    /// The proofs of possession of which at least one must hold; none listed: no request passes.
    public let possession: Set<PossessionMethod>
    /// The scope that a grant must cover; nothing: none is asked for.
    public let scope: ScopeTemplate?
    /// How many times the token may have been delegated.
    public let maximumDelegationDepth: Int
    /// Whether the token may speak of another SPIFFE ID than the certificate.
    public let allowsSubjectMismatch: Bool

    /// Makes a requirement.
    public init(
        issuers: [String], possession: Set<PossessionMethod>, scope: ScopeTemplate?, maximumDelegationDepth: Int,
        allowsSubjectMismatch: Bool
    ) {
        self.issuers = issuers
        self.possession = possession
        self.scope = scope
        self.maximumDelegationDepth = maximumDelegationDepth
        self.allowsSubjectMismatch = allowsSubjectMismatch
    }
}
