public import Bytes
public import Cryptography
import Identity
import JSON

/// Evidence that an access token was signed by an issuer we believe, is meant for us, and is valid now.
///
/// Only ``TokenVerifier`` can make it.
public struct VerifiedToken: ~Copyable {
    /// What the token says.
    public let claims: TokenClaims

    fileprivate init(claims: TokenClaims) {
        self.claims = claims
    }
}

/// Verifies access tokens, and remembers those that it verified: one per worker.
///
/// The rules are those of RFC 9068 §4 with RFC 8725 and its revision. The issuer is looked up by `iss` before the signature is
/// verified, because that says whose keys may have made it; nothing else of the payload is looked at before.
public final class TokenVerifier {
    private let engine: CryptographicEngine
    private var cache: VerifiedTokenCache

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - engine: the thread's.
    ///   - cacheCapacity: how many verified tokens to remember, rounded up to a power of two; 0: none. Each takes about its own
    ///     length three times over.
    ///   - cacheSeed: what nobody outside may know; by default the process's own hash seed, which is random.
    public init(engine: CryptographicEngine, cacheCapacity: Int, cacheSeed: UInt64? = nil) {
        self.engine = engine
        let seed = cacheSeed ?? UInt64(bitPattern: Int64(Hasher().finalize()))
        cache = VerifiedTokenCache(capacity: cacheCapacity, seed: seed)
    }

    /// The number of tokens that it remembers.
    public var cachedTokenCount: Int { cache.count }

    /// Verifies a token in compact form, or remembers that it did.
    ///
    /// A token that was verified before, by the same table, is checked again for whatever can have changed since: the time, and
    /// the listener that it is shown to. That allocates nothing.
    ///
    /// - Parameters:
    ///   - compact: the token, of a size that the caller has checked.
    ///   - issuers: the issuers that are believed.
    ///   - listenerTrustDomains: the trust domains of which a subject that is a SPIFFE ID must be a member, unless its issuer
    ///     has a list of its own; nothing: any. A subject that is no SPIFFE ID belongs to no trust domain.
    ///   - now: the time.
    public func verify(
        _ compact: Span<UInt8>, among issuers: IssuerTable, subjectsWithin listenerTrustDomains: [String]?,
        now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        let hash = cache.hash(of: compact)
        if let token = cache.token(compact, hash: hash, generation: issuers.generation) {
            do throws(TokenRejection) {
                return try accept(token, within: listenerTrustDomains, now: now)
            } catch {
                if error == .expired { cache.remove(token) }
                throw error
            }
        }
        let token = try judge(compact, hash: hash, among: issuers)
        let accepted = try accept(token, within: listenerTrustDomains, now: now)
        cache.insert(token)
        return accepted
    }

    /// Checks what depends on the moment and on the listener.
    private func accept(
        _ token: CachedToken, within listenerTrustDomains: [String]?, now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        let claims = token.claims
        let leeway = token.clockLeeway
        guard now < claims.expiresAt + leeway else { throw .expired }
        if let notBefore = claims.notBefore, now < notBefore - leeway { throw .notYetValid }
        guard claims.issuedAt <= now + leeway else { throw .issuedInFuture }
        if let subject = claims.subjectID, let trustDomains = token.trustDomains ?? listenerTrustDomains {
            guard trustDomains.contains(subject.trustDomain) else { throw .trustDomain }
        }
        return VerifiedToken(claims: claims)
    }

    // MARK: The first time

    /// Verifies the signature and everything that stays as it is while the issuers do.
    private func judge(
        _ compact: Span<UInt8>, hash: UInt64, among issuers: IssuerTable
    ) throws(TokenRejection) -> CachedToken {
        let jws: CompactJWS
        let header: JOSEHeader
        do throws(JWSError) {
            jws = try CompactJWS(compact)
            header = try JOSEHeader(json: jws.header.span)
        } catch {
            throw .jws(error)
        }
        let payload = try Self.payload(of: jws)
        guard payload.root.kind == .object else { throw .payload }
        guard let name = payload.root.member("iss") else { throw .missing(.issuer) }
        guard name.kind == .string else { throw .invalid(.issuer) }
        guard let index = issuers.index(of: name) else { throw .issuer }
        let issuer = issuers.issuers[index]
        guard issuer.profile == .oauth else { throw .profile }
        guard header.isTyped("at+jwt") else { throw .type }
        let key: VerificationKey
        do throws(JWSError) {
            key = try issuer.keys.key(for: header, among: issuer.algorithms)
            try jws.verify(compact, by: key.publicKey, with: header.algorithm, engine: engine)
        } catch {
            throw .jws(error)
        }
        let claims = try Self.claims(payload.root, of: issuer, at: index, signedBy: key.publicKey.thumbprint)
        return CachedToken(
            compact: Array(copying: compact), hash: hash, claims: claims, clockLeeway: issuer.clockLeeway,
            trustDomains: issuer.trustDomains, generation: issuers.generation)
    }

    private static func payload(of jws: CompactJWS) throws(TokenRejection) -> JSONDocument {
        do throws(JSONError) {
            return try JSONDocument(jws.payload.span)
        } catch {
            throw .payload
        }
    }

    /// Reads the claims of RFC 9068 §2.2, and ours.
    private static func claims(
        _ payload: JSONValue, of issuer: TokenIssuer, at index: Int, signedBy signingKey: Digest256
    ) throws(TokenRejection) -> TokenClaims {
        let reader = ClaimReader(payload)
        let names = issuer.claimNames
        let subject = try reader.text(.subject, .visible, atMost: 2048)
        let claims = TokenClaims(
            issuer: issuer.issuer, issuerIndex: index, subject: subject, subjectID: try spiffeID(subject),
            tokenID: try reader.text(.tokenID, .visible), clientID: try reader.text(.clientID, .printable),
            issuedAt: try reader.time(.issuedAt), expiresAt: try reader.time(.expiry),
            notBefore: try reader.timeIfPresent(.notBefore), scopes: try reader.scopes(),
            confirmations: try reader.confirmations(),
            task: try reader.text(named: names.task, .task, .visible),
            orchestration: try reader.text(named: names.orchestration, .orchestration, .visible),
            sponsor: try reader.text(named: names.sponsor, .sponsor, .text), signingKey: signingKey)
        try reader.refuseDelegation()
        guard try reader.isMeant(for: issuer.audiences) else { throw .audience }
        let lifetime = claims.expiresAt - claims.issuedAt
        guard lifetime > .zero, lifetime <= issuer.maximumTokenLifetime else { throw .lifetime }
        return claims
    }

    /// The subject as a SPIFFE ID, or nothing where it does not set out to be one.
    ///
    /// The name of a trust domain itself is refused: no workload bears it.
    private static func spiffeID(_ subject: String) throws(TokenRejection) -> SPIFFEID? {
        let bytes = subject.utf8.span
        let scheme = "spiffe:".utf8.count
        guard bytes.count >= scheme, bytes.extracting(0..<scheme).equalsIgnoringCase("spiffe:") else { return nil }
        guard let name = try? SPIFFEID(bytes), !name.path.isEmpty else { throw .invalid(.subject) }
        return name
    }
}
