/// What an agent's token is bound to, and with that what kind of token it is.
enum AgentBinding: String, CaseIterable {
    /// An access token with `cnf.x5t#S256`: the agent's certificate (RFC 8705).
    case certificate
    /// An access token with `cnf.jkt`: the agent's proof key (RFC 9449).
    case dpop
    /// An access token with both.
    case both
    /// A Workload Identity Token with `cnf.jwk`: the agent's proof key (WIMSE).
    case wpt
    /// A token of AgentWrit's kind without `cnf`: its subject is the SPIFFE ID of the agent's certificate.
    case svid
    /// An access token without `cnf`: it is refused, and is made to see that.
    case none

    /// Whose tokens they are.
    var issuer: TrialIssuer {
        switch self {
        case .certificate, .dpop, .both, .none: .broker
        case .wpt: .workloads
        case .svid: .agentwrit
        }
    }

    /// Whether the agent has a proof key.
    var needsProofKey: Bool { self == .dpop || self == .both || self == .wpt }

    /// Whether the token names the agent's certificate.
    var namesCertificate: Bool { self == .certificate || self == .both }

    /// Whether the token names its grants.
    var hasScopes: Bool { self != .wpt }
}
