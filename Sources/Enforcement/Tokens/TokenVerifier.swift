public import Bytes
public import Cryptography
import Delegation
import Identity

/// Evidence that a token was signed by an issuer we believe, or that the issuer says it is valid; that it is meant for us,
/// and that its time is now.
///
/// Only ``TokenVerifier`` can make it.
public struct VerifiedToken: ~Copyable {
    /// What the token says.
    public let claims: TokenClaims

    fileprivate init(claims: TokenClaims) {
        self.claims = claims
    }
}

/// Verifies tokens, and remembers those that it verified: one per worker.
///
/// The rules are those of the issuer's profile (``TokenProfile``) with RFC 8725 and its revision. The issuer is looked up
/// before the signature is verified, because that says whose keys may have made it; nothing else of the payload is looked
/// at before.
public final class TokenVerifier {
    private let engine: CryptographicEngine
    private var cache: VerifiedTokenCache
    // What issuers said of tokens that `cache` has no place for, which is mostly no. Apart, so that a flood of tokens which
    // nobody issued pushes out no verified one.
    private var answers: VerifiedTokenCache

    private static let answerCapacity = 1024

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
        answers = VerifiedTokenCache(capacity: Self.answerCapacity, seed: seed)
    }

    /// The number of tokens that it remembers to be good.
    public var cachedTokenCount: Int { cache.count }

    /// Verifies an access token in compact form, or remembers that it did.
    ///
    /// A token that was verified before, by the same table, is checked again for whatever can have changed since: the time, and
    /// the listener that it is shown to. That allocates nothing.
    ///
    /// - Parameters:
    ///   - compact: the token, of a size that the caller has checked.
    ///   - chain: the tokens that it was made out of, the first first, with commas between them; empty where there are none.
    ///   - issuers: the issuers that are believed.
    ///   - listenerTrustDomains: the trust domains of which a subject that is a SPIFFE ID must be a member, unless its issuer
    ///     has a list of its own; nothing: any. A subject that is no SPIFFE ID belongs to no trust domain.
    ///   - routeIssuers: the names of the issuers of which one may be asked about the token; nothing: nobody is asked, and
    ///     a token that is no JWT is refused.
    ///   - now: the time.
    /// - Throws: `introspectionNeeded` where an issuer must be asked: what it answers goes to
    ///   ``learn(introspection:of:issuer:among:now:)``, and then this knows; `keysMissing` and `keyUnknown` where keys must
    ///   be fetched.
    public func verify(
        _ compact: Span<UInt8>, after chain: Span<UInt8> = Span(), among issuers: IssuerTable,
        subjectsWithin listenerTrustDomains: [String]?, introspectingFor routeIssuers: [String]? = nil, now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        let hash = cache.hash(of: compact, after: chain)
        let known = cache.token(compact, after: chain, hash: hash, generation: issuers.generation)
        if let token = known, token.workload == nil {
            if token.isKnown(at: now, to: routeIssuers) {
                return try recall(token, within: listenerTrustDomains, now: now)
            }
            if token.isForgotten(at: now) { cache.remove(token) }
        }
        guard chain.isEmpty || !SignedToken.isNoLink(compact) else { throw .chainUnexpected }
        if chain.isEmpty, let routeIssuers, !issuers.introspecting.isEmpty {
            let token = answers.token(compact, hash: hash, generation: issuers.generation)
            if let token, token.isKnown(at: now, to: routeIssuers) {
                return try accept(token, within: listenerTrustDomains, now: now)
            }
            if let index = try OpaqueToken.issuer(of: compact, among: issuers, for: routeIssuers) {
                throw .introspectionNeeded(issuer: index)
            }
        }
        let signed = try SignedToken(compact)
        let claims = try claims(of: signed, compact, after: chain, among: issuers, now: now)
        let token = CachedToken(
            compact: Array(copying: compact), chain: Array(copying: chain), hash: hash, claims: claims,
            of: issuers.issuers[claims.issuerIndex], generation: issuers.generation)
        let accepted = try accept(token, within: listenerTrustDomains, now: now)
        cache.insert(token)
        return accepted
    }

    /// Verifies a token that nobody remembers, by itself or at the end of its chain.
    private func claims(
        of signed: borrowing SignedToken, _ compact: Span<UInt8>, after chain: Span<UInt8>, among issuers: IssuerTable,
        now: UnixTime
    ) throws(TokenRejection) -> TokenClaims {
        guard chain.isEmpty else {
            return try AttenuatingChain.verify(signed, compact, after: chain, among: issuers, engine: engine, now: now)
        }
        let index = try signed.issuer(among: issuers)
        return try signed.claims(compact, among: issuers, at: index, engine: engine, now: now)
    }

    /// Verifies a Workload Identity Token in compact form, or remembers that it did.
    ///
    /// Its keys are those of the one issuer that may vouch for the trust domain of `sub`: `iss` only chooses among several.
    ///
    /// - Parameters:
    ///   - compact: the token, of a size that the caller has checked.
    ///   - issuers: the issuers that are believed.
    ///   - listenerTrustDomains: the trust domains that an issuer without a list of its own may vouch for; nothing: any.
    ///   - now: the time.
    public func verifyWorkload(
        _ compact: Span<UInt8>, among issuers: IssuerTable, subjectsWithin listenerTrustDomains: [String]?,
        now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        let hash = cache.hash(of: compact)
        if let token = cache.token(compact, hash: hash, generation: issuers.generation), let workload = token.workload {
            let index = try workload.issuer(among: issuers, within: listenerTrustDomains)
            if index == workload.issuerIndex { return try recall(token, within: listenerTrustDomains, now: now) }
        }
        let signed = try SignedToken(compact)
        let trustDomain = try signed.workloadTrustDomain()
        let index = try signed.workloadIssuer(of: trustDomain, among: issuers, within: listenerTrustDomains)
        let claims = try signed.claims(compact, among: issuers, at: index, engine: engine, now: now)
        let token = CachedToken(
            compact: Array(copying: compact), hash: hash, claims: claims, of: issuers.issuers[index],
            workload: VouchedWorkload(
                trustDomain: trustDomain, issuerIndex: index,
                issuer: try signed.namesIssuer() ? claims.issuer : nil),
            generation: issuers.generation)
        let accepted = try accept(token, within: listenerTrustDomains, now: now)
        cache.insert(token)
        return accepted
    }

    /// Learns what an issuer says of a token (RFC 7662 §2.2), and remembers it for as long as its configuration allows.
    ///
    /// It is remembered until the token expires, if that is sooner, but for the present moment at least: for the call that asked. A
    /// token that its issuer refuses, or whose claims do, is remembered as refused.
    ///
    /// - Parameters:
    ///   - body: the answer: JSON.
    ///   - token: the token, as it was sent.
    ///   - index: the place of the issuer in that table.
    ///   - issuers: the very table that the question was put with.
    ///   - now: the time.
    /// - Throws: why the token is refused; `introspectionAnswer` where the answer is none, and nothing was learnt.
    public func learn(
        introspection body: Span<UInt8>, of token: Span<UInt8>, issuer index: Int, among issuers: IssuerTable,
        now: UnixTime
    ) throws(TokenRejection) {
        guard issuers.introspecting.contains(index),
            case .introspection(let endpoint) = issuers.issuers[index].keySource
        else { throw .opaque }
        let origin = TokenOrigin(
            issuer: issuers.issuers[index], index: index, signingKey: nil, engine: engine, now: now)
        let verdict: Result<TokenClaims, TokenRejection>
        do throws(TokenRejection) {
            verdict = .success(try IntrospectionAnswer.claims(body, of: origin))
        } catch {
            guard error != .introspectionAnswer else { throw error }
            verdict = .failure(error)
        }
        let learnt = CachedToken(
            compact: Array(copying: token), hash: cache.hash(of: token), verdict: verdict, of: origin.issuer,
            until: Self.end(of: verdict, cachedFor: endpoint.cacheLifetime, now: now), generation: issuers.generation)
        remember(learnt)
        _ = try verdict.get()
    }

    /// The identifier of the issuer's key that a token, or the first of its chain, says it is signed with: what to look for
    /// where it is unknown.
    public static func keyID(of compact: Span<UInt8>, after chain: Span<UInt8> = Span()) -> String? {
        guard let root = AttenuatingChain.root(of: chain) else { return SignedToken.keyID(of: compact) }
        return SignedToken.keyID(of: chain.extracting(root))
    }

    // MARK: What was learnt

    /// Until when an answer counts.
    private static func end(
        of verdict: Result<TokenClaims, TokenRejection>, cachedFor lifetime: Interval, now: UnixTime
    ) -> UnixTime {
        var end = now + lifetime
        if case .success(let claims) = verdict { end = min(end, claims.expiresAt) }
        // The calls that asked are judged at this very moment.
        return max(end, now + Interval(nanoseconds: 1))
    }

    /// Remembers what was learnt in place of whatever was known before.
    private func remember(_ token: CachedToken) {
        cache.remove(writtenAs: token)
        answers.remove(writtenAs: token)
        if case .success = token.verdict, cache.capacity > 0 {
            cache.insert(token)
        } else {
            answers.insert(token)
        }
    }

    // MARK: What can change

    /// Accepts a token that was found in the cache, or drops it there.
    private func recall(
        _ token: CachedToken, within listenerTrustDomains: [String]?, now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        do throws(TokenRejection) {
            return try accept(token, within: listenerTrustDomains, now: now)
        } catch {
            if error == .expired { cache.remove(token) }
            throw error
        }
    }

    /// Checks what depends on the moment and on the listener.
    private func accept(
        _ token: CachedToken, within listenerTrustDomains: [String]?, now: UnixTime
    ) throws(TokenRejection) -> VerifiedToken {
        let claims = try token.verdict.get()
        let leeway = token.clockLeeway
        guard now < claims.expiresAt + leeway else { throw .expired }
        if let notBefore = claims.notBefore, now < notBefore - leeway { throw .notYetValid }
        if let issuedAt = claims.issuedAt, issuedAt > now + leeway { throw .issuedInFuture }
        if let trustDomains = token.trustDomains ?? listenerTrustDomains {
            try Self.checkNames(of: claims, within: trustDomains)
        }
        return VerifiedToken(claims: claims)
    }

    /// Everybody whom the token names and who is a member of a trust domain must be of one that its issuer may name.
    private static func checkNames(of claims: TokenClaims, within trustDomains: [String]) throws(TokenRejection) {
        if let subject = claims.subjectID, !trustDomains.contains(subject.trustDomain) { throw .trustDomain }
        if let actor = claims.actorID, !trustDomains.contains(actor.trustDomain) { throw .trustDomain }
        for domain in claims.linkTrustDomains where !trustDomains.contains(domain.name) {
            throw .lineage(LineageFault(.trustDomain, at: domain.link))
        }
    }
}
