public import Identity

/// What was revoked of a request's credentials, or why nobody can tell.
public enum RevokedCredential: Error, Equatable, Sendable {
    /// The token's subject, the agent at the other end of the connection, or one that passed the token on.
    case agent
    /// The certificate that authenticated the connection, or that the token is bound to.
    case certificate
    /// An agent that the token grew out of.
    case chain
    /// Every call of everybody.
    case everything
    /// The key that the token is bound to, that signed it, or that the certificate certifies.
    case key
    /// The task that the token was issued for.
    case task
    /// The token itself, or one that it was derived from.
    case token
    /// The status that the issuer's list gives the token (Token Status List §7.1).
    case status(UInt8)
    /// The token names a place or a list that its status cannot stand in.
    case statusInvalid
    /// The list that the token names has not been read yet.
    case statusUnknown(uri: String)
    /// Too much may have been revoked that a feed has not told yet.
    case stale(feed: String)

    /// Makes the refusal for what was revoked.
    public init(_ level: RevocationLevel) {
        switch level {
        case .agent: self = .agent
        case .certificate: self = .certificate
        case .chain: self = .chain
        case .everything: self = .everything
        case .key: self = .key
        case .task: self = .task
        case .token: self = .token
        }
    }

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .agent: "revocation.agent"
        case .certificate: "revocation.certificate"
        case .chain: "revocation.chain"
        case .everything: "revocation.everything"
        case .key: "revocation.key"
        case .task: "revocation.task"
        case .token: "revocation.token"
        case .status: "revocation.status"
        case .statusInvalid: "revocation.status-invalid"
        case .statusUnknown: "revocation.status-unknown"
        case .stale: "revocation.stale"
        }
    }

    /// Whether nothing is known to be revoked, but nothing is known to be good either.
    public var isUnavailability: Bool {
        switch self {
        case .stale, .statusUnknown: true
        default: false
        }
    }
}
