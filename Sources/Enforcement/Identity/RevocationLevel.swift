/// What kind of thing a revocation takes back.
public enum RevocationLevel: String, CaseIterable, Sendable {
    /// One token, by its issuer and identifier (`jti`).
    case token
    /// An agent, by its SPIFFE ID or subject: all that it does itself, and what it has passed on.
    case agent
    /// A task, of one orchestration or of any.
    case task
    /// Everything that grew out of an agent, and the agent itself.
    case chain
    /// A client's certificate, by its SHA-256, or by issuer and serial number.
    case certificate
    /// A key, by its thumbprint (RFC 7638): one that tokens are bound to, that signed them, or that a certificate certifies.
    case key
    /// Every call of everybody.
    case everything
}
