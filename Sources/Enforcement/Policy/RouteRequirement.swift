public import Bytes
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
    /// What further claims must be; all of it must hold.
    public let claims: [ClaimRule]
    /// Whether the token must name a human who answers for the agent.
    public let requiresSponsor: Bool
    /// The ways of authentication of which the token must name one (`acr`, RFC 9470 §4); none listed: any will do.
    public let authenticationContexts: [String]
    /// How long ago the human may have been authenticated (`max_age`, RFC 9470 §4); nothing: it does not matter.
    public let maximumAuthenticationAge: Interval?

    /// Makes a requirement.
    public init(
        issuers: [String], possession: Set<PossessionMethod>, scope: ScopeTemplate?, maximumDelegationDepth: Int,
        allowsSubjectMismatch: Bool, claims: [ClaimRule] = [], requiresSponsor: Bool = false,
        authenticationContexts: [String] = [], maximumAuthenticationAge: Interval? = nil
    ) {
        self.issuers = issuers
        self.possession = possession
        self.scope = scope
        self.maximumDelegationDepth = maximumDelegationDepth
        self.allowsSubjectMismatch = allowsSubjectMismatch
        self.claims = claims
        self.requiresSponsor = requiresSponsor
        self.authenticationContexts = authenticationContexts
        self.maximumAuthenticationAge = maximumAuthenticationAge
    }
}
