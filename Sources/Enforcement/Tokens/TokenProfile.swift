/// Which rules a token of an issuer follows.
public enum TokenProfile: String, CaseIterable, Sendable {
    /// A JWT access token (RFC 9068).
    case oauth
    /// A token of an AgentWrit broker.
    case agentwrit
    /// A Workload Identity Token.
    case wimse
}
