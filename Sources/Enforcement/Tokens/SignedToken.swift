import Bytes
import Cryptography
import Delegation
import JSON

/// A signed token that was taken apart, but is not yet believed.
struct SignedToken: ~Copyable {
    private let jws: CompactJWS
    private let header: JOSEHeader
    private let document: JSONDocument

    /// Takes a token apart: a compact JWS whose payload is an object of strict JSON.
    init(_ compact: Span<UInt8>) throws(TokenRejection) {
        let jws: CompactJWS
        let header: JOSEHeader
        do throws(JWSError) {
            jws = try CompactJWS(compact)
            header = try JOSEHeader(json: jws.header.span)
        } catch {
            throw .jws(error)
        }
        let limits = header.isTyped(AttenuatingTokenRules.type) ? AttenuatingCapabilities.jsonLimits : .standard
        let document = try Self.document(jws.payload.span, limits: limits)
        self.jws = jws
        self.header = header
        self.document = document
    }

    private static func document(_ payload: Span<UInt8>, limits: JSONLimits) throws(TokenRejection) -> JSONDocument {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(payload, limits: limits)
        } catch {
            throw .payload
        }
        guard Self.isObject(document) else { throw .payload }
        return document
    }

    private static func isObject(_ document: borrowing JSONDocument) -> Bool {
        document.root.kind == .object
    }

    // MARK: Whose it says that it is

    /// The place of the issuer that an access token names.
    borrowing func issuer(among issuers: IssuerTable) throws(TokenRejection) -> Int {
        guard let name = document.root.member("iss") else { throw .missing(.issuer) }
        guard name.kind == .string else { throw .invalid(.issuer) }
        guard let index = issuers.index(of: name) else {
            // Another agent's key made it: it was passed on, and who did so is not shown.
            let isDerived = isTyped(AttenuatingTokenRules.type) && AttenuatingLink.isKeyName(name)
            throw isDerived ? .lineage(LineageFault(.missingLink, at: 0)) : .issuer
        }
        guard !issuers.issuers[index].profile.isWorkload else { throw .profile }
        return index
    }

    /// What it claims.
    var payload: ClaimReader {
        @_lifetime(borrow self)
        borrowing get { ClaimReader(document.root) }
    }

    /// Whether its `typ` is that.
    borrowing func isTyped(_ type: StaticString) -> Bool { header.isTyped(type) }

    /// Whether it says that it was issued by exactly that one.
    borrowing func names(issuer: String) -> Bool { document.root.member("iss")?.equals(utf8: issuer) ?? false }

    /// Whether it says who issued it.
    borrowing func namesIssuer() throws(TokenRejection) -> Bool {
        guard let name = document.root.member("iss") else { return false }
        guard name.kind == .string else { throw .invalid(.issuer) }
        return true
    }

    /// The trust domain of the workload that it speaks of; it must call itself a Workload Identity Token.
    borrowing func workloadTrustDomain() throws(TokenRejection) -> String {
        guard header.isTyped(WIMSERules.type) else { throw .type }
        let subject = try ClaimReader(document.root).text(.subject, .visible, atMost: 2048)
        guard let identifier = WorkloadIdentifier(subject) else { throw .invalid(.subject) }
        return identifier.trustDomain
    }

    /// The place of the issuer that may vouch for such a workload; `iss` only chooses among several.
    borrowing func workloadIssuer(
        of trustDomain: String, among issuers: IssuerTable, within listenerTrustDomains: [String]?
    ) throws(TokenRejection) -> Int {
        guard try namesIssuer(), let name = document.root.member("iss")?.string else {
            return try issuers.workloadIssuer(of: trustDomain, within: listenerTrustDomains) { _ in true }
        }
        return try issuers.workloadIssuer(of: trustDomain, within: listenerTrustDomains) {
            name.utf8.span.equals(utf8: $0)
        }
    }

    // MARK: Whether it is

    /// Verifies the signature and everything that stays as it is while the issuers do.
    ///
    /// - Parameters:
    ///   - compact: the bytes that this was taken from.
    ///   - issuers: those that are believed.
    ///   - index: the place of the one that it is said to come from.
    ///   - engine: the thread's.
    ///   - now: the time.
    borrowing func claims(
        _ compact: Span<UInt8>, among issuers: IssuerTable, at index: Int, engine: CryptographicEngine, now: UnixTime
    ) throws(TokenRejection) -> TokenClaims {
        let origin = try origin(compact, among: issuers, at: index, engine: engine, now: now)
        return try origin.issuer.profile.rules.claims(payload, of: origin)
    }

    /// Verifies the signature alone, and that the token is of the issuer's kind.
    borrowing func origin(
        _ compact: Span<UInt8>, among issuers: IssuerTable, at index: Int, engine: CryptographicEngine, now: UnixTime
    ) throws(TokenRejection) -> TokenOrigin {
        let issuer = issuers.issuers[index]
        let rules = issuer.profile.rules
        guard header.isTyped(rules.type) else { throw .type }
        let key = try key(by: rules, of: issuer, at: index)
        do throws(JWSError) {
            try jws.verify(compact, by: key.publicKey, with: header.algorithm, engine: engine)
        } catch {
            throw .jws(error)
        }
        return TokenOrigin(
            issuer: issuer, index: index, signingKey: key.publicKey.thumbprint, engine: engine, now: now)
    }

    /// Whether the holder of a key signed it, by an algorithm that is for the key and that is allowed.
    borrowing func isSigned(
        _ compact: Span<UInt8>, by key: BoundKey, among algorithms: Set<SignatureAlgorithm>, engine: CryptographicEngine
    ) -> Bool {
        guard algorithms.contains(header.algorithm), key.serves(header.algorithm) else { return false }
        do throws(JWSError) {
            try jws.verify(compact, by: key.publicKey, with: header.algorithm, engine: engine)
            return true
        } catch {
            return false
        }
    }

    /// The hash by which a token that is made out of this one names it (`par_hash`).
    borrowing func signingInputHash(of compact: Span<UInt8>, engine: CryptographicEngine) -> Digest256 {
        engine.sha256(compact.extracting(jws.signingInput))
    }

    /// Whether a token is of another kind than those that a chain belongs to; one whose header cannot be read is of none.
    static func isNoLink(_ compact: Span<UInt8>) -> Bool {
        guard let jws = try? CompactJWS(compact) else { return true }
        guard let header = try? JOSEHeader(json: jws.header.span) else { return false }
        return !header.isTyped(AttenuatingTokenRules.type)
    }

    /// The key that must have signed; where it may be one that was published since, that is said.
    private borrowing func key(
        by rules: any TokenRules.Type, of issuer: TokenIssuer, at index: Int
    ) throws(TokenRejection) -> VerificationKey {
        // First, so that nothing is fetched for what will be refused.
        guard issuer.algorithms.contains(header.algorithm) else { throw .jws(.algorithm) }
        let isFetched = if case .url = issuer.keySource { true } else { false }
        if isFetched, issuer.keys.isEmpty { throw .keysMissing(issuer: index) }
        let key: VerificationKey?
        do throws(JWSError) {
            key = try rules.key(for: header, of: issuer)
        } catch {
            throw .jws(error)
        }
        guard let key else { throw isFetched ? .keyUnknown(issuer: index) : .jws(.key) }
        return key
    }

    /// The identifier of the key that a token says it is signed with.
    static func keyID(of compact: Span<UInt8>) -> String? {
        guard let jws = try? CompactJWS(compact) else { return nil }
        return (try? JOSEHeader(json: jws.header.span))?.keyID
    }
}
