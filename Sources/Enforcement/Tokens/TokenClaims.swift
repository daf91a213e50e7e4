public import Bytes
public import Identity

/// What a verified access token says, as plain values.
///
/// All text is free of control characters and bounded. All of it is printable ASCII but for the sponsor, which may be any
/// text: who forwards that in a header must percent-encode it.
public final class TokenClaims: Sendable {
    /// Who issued it (`iss`): one of the configured issuers.
    public let issuer: String
    /// The place of the issuer in the table that the token was verified with.
    public let issuerIndex: Int
    /// Whom it speaks of (`sub`).
    public let subject: String
    /// The same as a SPIFFE ID, where it is one.
    public let subjectID: SPIFFEID?
    /// Its identifier, unique for the issuer (`jti`).
    public let tokenID: String
    /// The OAuth client that asked for it (`client_id`).
    public let clientID: String?
    /// When it was issued (`iat`).
    public let issuedAt: UnixTime
    /// From when on it must not be accepted (`exp`), without leeway.
    public let expiresAt: UnixTime
    /// Before when it must not be accepted (`nbf`), without leeway.
    public let notBefore: UnixTime?
    /// All scopes, in order, as written.
    public let scopes: [String]
    /// Those scopes that are grants.
    public let grants: [ScopeGrant]
    /// What its bearer must prove.
    public let confirmations: Confirmations
    /// The task that it was issued for.
    public let task: String?
    /// The orchestration that the task belongs to.
    public let orchestration: String?
    /// The human who answers for the agent.
    public let sponsor: String?
    /// How many times it was delegated; a delegated token is refused, so 0.
    public let delegationDepth: Int
    /// The thumbprint of the issuer's key that signed it (RFC 7638).
    public let signingKey: Digest256

    /// The thumbprint of the key that it is bound to, where it is bound to a key (RFC 7638).
    public var keyThumbprint: Digest256? { confirmations.key }

    init(
        issuer: String, issuerIndex: Int, subject: String, subjectID: SPIFFEID?, tokenID: String, clientID: String?,
        issuedAt: UnixTime, expiresAt: UnixTime, notBefore: UnixTime?, scopes: [String], confirmations: Confirmations,
        task: String?, orchestration: String?, sponsor: String?, signingKey: Digest256
    ) {
        self.issuer = issuer
        self.issuerIndex = issuerIndex
        self.subject = subject
        self.subjectID = subjectID
        self.tokenID = tokenID
        self.clientID = clientID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.notBefore = notBefore
        self.scopes = scopes
        grants = scopes.compactMap { ScopeGrant($0) }
        self.confirmations = confirmations
        self.task = task
        self.orchestration = orchestration
        self.sponsor = sponsor
        delegationDepth = 0
        self.signingKey = signingKey
    }
}
