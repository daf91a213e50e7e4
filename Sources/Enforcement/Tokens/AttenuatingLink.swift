import Bytes
import Cryptography
import Delegation
import JSON

/// What one token of a chain says: its signature is verified, its place in the chain is not
/// (draft-niyikiza-oauth-attenuating-agent-tokens-02 §3.2).
struct AttenuatingLink {
    let issuer: String
    let tokenID: String
    let issuedAt: UnixTime
    let expiresAt: UnixTime
    let notBefore: UnixTime?
    let depth: Int
    let maximumDepth: Int
    /// The hash of the token that it was made out of; nothing in a root.
    let parentHash: Digest256?
    let confirmations: Confirmations
    /// Its holder's key: what the next token must be signed with.
    let key: BoundKey
    /// What its holder may do; nothing where it has no list, which allows nothing and is no list to call with.
    let capabilities: AttenuatingCapabilities?
    /// Whether it says for whom it is meant: for us, then.
    let namesAudience: Bool
    let task: String?
    let orchestration: String?
    let sponsor: String?
    /// Where its issuer keeps its status; only that of a root counts, for a holder keeps no list that we would ask.
    let statusReference: StatusReference?
    let authenticationContext: String?
    let authenticatedAt: UnixTime?
    /// The claims that routes ask for.
    let retained: [String: ClaimValue]

    /// Reads the claims of a token, by every rule that is about it alone.
    init(_ payload: ClaimReader, of issuer: TokenIssuer) throws(TokenRejection) {
        try payload.refuseActors()
        try payload.refuseRecords()
        let names = issuer.claimNames
        self.issuer = try payload.text(.issuer, .visible, atMost: 2048)
        tokenID = try payload.text(.tokenID, .visible)
        issuedAt = try payload.wholeTime(.issuedAt)
        expiresAt = try payload.wholeTime(.expiry)
        notBefore = try payload.timeIfPresent(.notBefore)
        depth = try payload.depth(.delegationDepth)
        maximumDepth = try payload.depth(.delegationMaximumDepth)
        parentHash = try payload.parentHash()
        confirmations = try payload.confirmations()
        key = try Self.key(of: confirmations)
        capabilities = try payload.capabilities()
        namesAudience = payload.has(.audience)
        task = try payload.text(named: names.task, .task, .visible)
        orchestration = try payload.text(named: names.orchestration, .orchestration, .visible)
        sponsor = try payload.text(named: names.sponsor, .sponsor, .text)
        statusReference = try payload.statusReference()
        authenticationContext = try payload.textIfPresent(.authenticationContext, .visible)
        authenticatedAt = try payload.timeIfPresent(.authenticationTime)
        retained = payload.retained(issuer.retainedClaims)
        if namesAudience {
            guard try payload.isMeant(for: issuer.audiences) else { throw .audience }
        }
        let lifetime = expiresAt - issuedAt
        guard lifetime > .zero, lifetime <= issuer.maximumTokenLifetime else { throw .lifetime }
    }

    /// Who holds it, by the name of the key (RFC 9278).
    var holder: String { Self.name(of: key.publicKey) }

    /// What the names of all keys begin with.
    static let keyNamePrefix = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:"

    /// Whether `iss` is the name of a key, and so of an agent that made the token out of its own.
    static func isKeyName(_ name: JSONValue) -> Bool {
        guard let text = name.text, text.count > keyNamePrefix.utf8.count else { return false }
        return text.extracting(0..<keyNamePrefix.utf8.count).equals(utf8: keyNamePrefix)
    }

    private static func name(of key: PublicKey) -> String { keyNamePrefix + key.thumbprint.base64URL }

    /// The holder's key, which the token must show whole.
    private static func key(of confirmations: Confirmations) throws(TokenRejection) -> BoundKey {
        guard confirmations.isPresent else { throw .missing(.confirmation) }
        guard !confirmations.demandsUnsupported, let key = confirmations.publicKey,
            confirmations.key == nil || confirmations.key == key.publicKey.thumbprint
        else { throw .invalid(.confirmation) }
        return key
    }

    /// The link as others see it.
    func lineageLink(issuer: String) -> LineageLink {
        LineageLink(
            agent: holder, scopes: capabilities?.names ?? [], tokenID: tokenID, issuer: issuer,
            key: key.publicKey.thumbprint)
    }
}

extension ClaimReader {
    /// Reads a NumericDate without a fraction, which must be there.
    fileprivate func wholeTime(_ claim: RegisteredClaim) throws(TokenRejection) -> UnixTime {
        guard let value = value(claim) else { throw .missing(claim) }
        guard value.integer != nil, let time = NumericDate.time(value) else { throw .invalid(claim) }
        return time
    }

    /// Reads how often a token was passed on, or may be: a whole number.
    fileprivate func depth(_ claim: RegisteredClaim) throws(TokenRejection) -> Int {
        guard let value = value(claim) else { throw .missing(claim) }
        guard let depth = value.integer, depth >= 0 else { throw .invalid(claim) }
        guard depth <= Lineage.maximumDepth else { throw .lineage(LineageFault(.depth)) }
        return Int(depth)
    }

    /// Reads the hash of the token before.
    fileprivate func parentHash() throws(TokenRejection) -> Digest256? {
        guard let value = value(.parentHash) else { return nil }
        guard let text = value.text, let hash = Digest256(base64URL: text) else { throw .invalid(.parentHash) }
        return hash
    }

    /// Reads what the holder may do.
    fileprivate func capabilities() throws(TokenRejection) -> AttenuatingCapabilities? {
        guard let value = value(.authorizationDetails) else { throw .missing(.authorizationDetails) }
        do throws(AttenuatingFault) {
            return try AttenuatingCapabilities.read(value)
        } catch {
            throw .invalid(.authorizationDetails)
        }
    }
}
