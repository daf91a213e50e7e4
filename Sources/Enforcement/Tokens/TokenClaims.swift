public import Bytes
import Cryptography
public import Delegation
public import Identity

/// What a verified token says, as plain values.
///
/// All text is free of control characters and bounded. All of it is printable ASCII but for the sponsor and the retained
/// claims, which may be any text: who forwards the sponsor in a header must percent-encode it; retained claims are only
/// compared.
public final class TokenClaims: Sendable {
    /// Who issued it (`iss`): one of the configured issuers.
    public let issuer: String
    /// The place of the issuer in the table that the token was verified with.
    public let issuerIndex: Int
    /// The rules that it was verified by.
    public let profile: TokenProfile
    /// Whom it speaks of (`sub`).
    public let subject: String
    /// The same as a SPIFFE ID, where it is one.
    public let subjectID: SPIFFEID?
    /// Who acts for the subject, where somebody does: the outermost actor (`act.sub`, RFC 8693 §4.1).
    public let actor: String?
    /// The same as a SPIFFE ID, where it is one.
    public let actorID: SPIFFEID?
    /// Its identifier, unique for the issuer (`jti`); every access token that is a JWT has one.
    public let tokenID: String?
    /// The OAuth client that asked for it (`client_id`).
    public let clientID: String?
    /// When it was issued (`iat`); every access token that is a JWT says so.
    public let issuedAt: UnixTime?
    /// From when on it must not be accepted (`exp`), without leeway.
    public let expiresAt: UnixTime
    /// Before when it must not be accepted (`nbf`), without leeway.
    public let notBefore: UnixTime?
    /// All scopes, in order, as written; a workload's token has none.
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
    /// How the human was authenticated (`acr`, RFC 9470 §6.1).
    public let authenticationContext: String?
    /// When the human was authenticated last (`auth_time`, RFC 9470 §6.1).
    public let authenticatedAt: UnixTime?
    /// The claims that a route asks for, by name, where they have a value that can be compared.
    public let retained: [String: ClaimValue]
    /// Where its issuer keeps its status, if anywhere.
    public let statusReference: StatusReference?
    /// What its holder may do, of an attenuating agent token; nothing of every other, whose ``grants`` say that.
    public let capabilities: AttenuatingCapabilities?
    /// Through whom it came to the agent that holds it.
    public let lineage: Lineage
    /// The thumbprint of the issuer's key that signed it (RFC 7638); nothing where the issuer was asked instead.
    public let signingKey: Digest256?

    /// The names under which it may be revoked: it is where any of them is.
    public let revocationNames: [RevocationName]

    /// The trust domains of those who passed it on, each with the first link that names it.
    let linkTrustDomains: [(name: String, link: Int)]

    /// Who calls with it: whoever acts for the subject, or else the subject itself.
    public var agent: String { actor ?? subject }

    /// The same as a SPIFFE ID, where it is one.
    public var agentID: SPIFFEID? { actor == nil ? subjectID : actorID }

    /// Whose limits a call with it counts against: of tokens that holders make for whatever keys they like, the first holder's.
    public var countedAgent: String { profile == .aat ? lineage.links.first?.agent ?? agent : agent }

    /// How many times it was passed on.
    public var delegationDepth: Int { lineage.depth }

    /// The thumbprint of the key that it is bound to, where it is bound to a key (RFC 7638).
    public var keyThumbprint: Digest256? { confirmations.boundThumbprint }

    init(
        issuer: String, issuerIndex: Int, profile: TokenProfile = .oauth, subject: String, subjectID: SPIFFEID?,
        tokenID: String?, clientID: String?, issuedAt: UnixTime?, expiresAt: UnixTime, notBefore: UnixTime?,
        scopes: [String], confirmations: Confirmations, task: String?, orchestration: String?, sponsor: String?,
        authenticationContext: String? = nil, authenticatedAt: UnixTime? = nil, retained: [String: ClaimValue] = [:],
        statusReference: StatusReference? = nil, actor: String? = nil, actorID: SPIFFEID? = nil,
        lineage: Lineage = .none, capabilities: AttenuatingCapabilities? = nil, signingKey: Digest256?
    ) {
        self.issuer = issuer
        self.issuerIndex = issuerIndex
        self.profile = profile
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
        self.authenticationContext = authenticationContext
        self.authenticatedAt = authenticatedAt
        self.retained = retained
        self.statusReference = statusReference
        self.actor = actor
        self.actorID = actorID
        self.lineage = lineage
        self.capabilities = capabilities
        self.signingKey = signingKey
        linkTrustDomains = Self.trustDomains(of: lineage)
        revocationNames = Self.names(
            tokens: Self.tokens(of: lineage, issuer: issuer, tokenID: tokenID),
            agents: [subject] + [actor].compactMap(\.self) + lineage.links.map(\.agent),
            task: task, orchestration: orchestration, certificate: confirmations.certificate,
            keys: [confirmations.key, confirmations.publicKey?.publicKey.thumbprint, signingKey].compactMap(\.self)
                + lineage.links.compactMap(\.key))
    }
}

extension TokenClaims {
    /// The token itself, and those that it grew out of.
    private static func tokens(of lineage: Lineage, issuer: String, tokenID: String?) -> [RevocationKey] {
        let own = tokenID.map { RevocationKey.token(issuer: issuer, tokenID: $0) }
        let others = lineage.links.compactMap { link in
            link.tokenID.map { RevocationKey.token(issuer: link.issuer ?? issuer, tokenID: $0) }
        }
        return [own].compactMap(\.self) + others
    }

    /// Every agent of a chain may be revoked itself, and with all that grew out of it.
    private static func names(
        tokens: [RevocationKey], agents: [String], task: String?, orchestration: String?, certificate: Digest256?,
        keys: [Digest256]
    ) -> [RevocationName] {
        var names = tokens.map { RevocationName(.token, $0) }
        for agent in agents {
            names.append(RevocationName(.agent, .agent(agent)))
            names.append(RevocationName(.chain, .chain(agent)))
        }
        if let task {
            names.append(RevocationName(.task, .task(task)))
            if let orchestration { names.append(RevocationName(.task, .task(task, of: orchestration))) }
        }
        if let certificate { names.append(RevocationName(.certificate, .certificate(certificate))) }
        for key in keys { names.append(RevocationName(.key, .key(key))) }
        return names.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    private static func trustDomains(of lineage: Lineage) -> [(name: String, link: Int)] {
        var domains: [(name: String, link: Int)] = []
        for (index, link) in lineage.links.enumerated() {
            guard let name = try? SPIFFEID(link.agent.utf8.span).trustDomain else { continue }
            if !domains.contains(where: { $0.name == name }) { domains.append((name, index)) }
        }
        return domains
    }
}
