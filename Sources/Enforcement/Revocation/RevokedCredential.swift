/// What was revoked of a request's credentials.
public enum RevokedCredential: Error, Equatable, Sendable {
    /// The token's subject, or the agent at the other end of the connection.
    case agent
    /// The certificate that authenticated the connection, or that the token is bound to.
    case certificate
    /// The root of the delegation chain.
    case chain
    /// The key that the token is bound to, or that signed it.
    case key
    /// The task that the token was issued for.
    case task
    /// The token itself.
    case token

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .agent: "revocation.agent"
        case .certificate: "revocation.certificate"
        case .chain: "revocation.chain"
        case .key: "revocation.key"
        case .task: "revocation.task"
        case .token: "revocation.token"
        }
    }
}
