/// Which rules the tokens of an issuer follow.
public enum TokenProfile: String, CaseIterable, Sendable {
    /// JWT access tokens (RFC 9068).
    case oauth
    /// Access tokens of an AgentWrit broker.
    case agentwrit
    /// Attenuating agent tokens (draft-niyikiza-oauth-attenuating-agent-tokens).
    case aat
    /// Workload Identity Tokens (draft-ietf-wimse-workload-creds).
    case wimse
    /// Workload Identity Tokens as SPIFFE has them (WIT-SVID).
    case witSVID = "wit-svid"

    /// Whether its tokens say who a workload is, and are no access tokens.
    public var isWorkload: Bool {
        switch self {
        case .oauth, .agentwrit, .aat: false
        case .wimse, .witSVID: true
        }
    }
}
