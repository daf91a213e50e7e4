import Bytes
import Cryptography
import Delegation

/// A chain of attenuating agent tokens: the first is an issuer's, each other was made by the holder of the one before
/// (draft-niyikiza-oauth-attenuating-agent-tokens-02 §8).
struct AttenuatingChain {
    private let origin: TokenOrigin
    private var links: [AttenuatingLink]
    /// The hash of what the last token's signature covers.
    private var lastHash: Digest256?

    /// Begins a chain with a token whose signature is its issuer's.
    init(_ payload: ClaimReader, of origin: TokenOrigin) throws(TokenRejection) {
        let root = try AttenuatingLink(payload, of: origin.issuer)
        guard root.depth == 0 else { throw .invalid(.delegationDepth) }
        guard root.parentHash == nil else { throw .invalid(.parentHash) }
        guard root.capabilities != nil else { throw .missing(.authorizationDetails) }
        self.origin = origin
        links = [root]
    }

    /// Verifies a chain.
    ///
    /// - Parameters:
    ///   - leaf: the token that is presented, `token` taken apart.
    ///   - ancestors: the tokens before it, the first first, with commas between them.
    ///   - issuers: those that are believed.
    ///   - engine: the thread's.
    ///   - now: the time.
    static func verify(
        _ token: borrowing SignedToken, _ leaf: Span<UInt8>, after ancestors: Span<UInt8>, among issuers: IssuerTable,
        engine: CryptographicEngine, now: UnixTime
    ) throws(TokenRejection) -> TokenClaims {
        let places = try places(of: ancestors)
        guard let first = places.first else { throw .lineage(LineageFault(.missingLink, at: 0)) }
        let compact = ancestors.extracting(first)
        let root = try SignedToken(compact)
        let index = try root.issuer(among: issuers)
        // Who takes tokens of another kind has not asked that their holders pass them on.
        guard issuers.issuers[index].profile == .aat else { throw .profile }
        let origin = try root.origin(compact, among: issuers, at: index, engine: engine, now: now)
        var chain = try AttenuatingChain(root.payload, of: origin)
        chain.lastHash = root.signingInputHash(of: compact, engine: engine)
        for place in places.dropFirst() {
            let compact = ancestors.extracting(place)
            try chain.append(chain.takenApart(compact), compact)
        }
        try chain.append(token, leaf)
        return try chain.claims()
    }

    /// Where the first token of a chain lies; nothing where it is no list of tokens.
    static func root(of ancestors: Span<UInt8>) -> Range<Int>? {
        (try? places(of: ancestors))?.first
    }

    // MARK: The list of tokens

    /// Where the tokens lie; each but the last has a comma behind it, which white space may surround.
    private static func places(of ancestors: Span<UInt8>) throws(TokenRejection) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var start = 0
        while start <= ancestors.count {
            let comma = ancestors.firstIndex(of: UInt8(ascii: ","), from: start) ?? ancestors.count
            guard places.count < Lineage.maximumDepth else { throw .lineage(LineageFault(.depth)) }
            let place = trimmed(start..<comma, of: ancestors)
            guard !place.isEmpty else { throw .lineage(LineageFault(.form, at: places.count)) }
            places.append(place)
            start = comma + 1
        }
        return places
    }

    private static func trimmed(_ range: Range<Int>, of text: Span<UInt8>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, text[start] == UInt8(ascii: " ") || text[start] == UInt8(ascii: "\t") { start += 1 }
        while start < end, text[end - 1] == UInt8(ascii: " ") || text[end - 1] == UInt8(ascii: "\t") { end -= 1 }
        return start..<end
    }

    // MARK: One step

    private func fault(_ kind: LineageFault.Kind) -> TokenRejection {
        .lineage(LineageFault(kind, at: links.count))
    }

    private func takenApart(_ compact: Span<UInt8>) throws(TokenRejection) -> SignedToken {
        do throws(TokenRejection) {
            return try SignedToken(compact)
        } catch {
            throw fault(.form)
        }
    }

    /// Adds the token that the holder of the last one made.
    private mutating func append(_ token: borrowing SignedToken, _ compact: Span<UInt8>) throws(TokenRejection) {
        guard let parent = links.last, let root = links.first else { throw fault(.missingLink) }
        guard token.isTyped(AttenuatingTokenRules.type) else { throw fault(.form) }
        // Said first, since whoever leaves a link out shows neither the key nor the hash that the next one speaks of.
        guard token.names(issuer: parent.holder) else { throw fault(.missingLink) }
        guard token.isSigned(compact, by: parent.key, among: origin.issuer.algorithms, engine: origin.engine) else {
            throw fault(.signature)
        }
        let link = try read(token)
        guard let hash = link.parentHash, hash == lastHash else { throw fault(.parentHash) }
        try checkDepth(of: link, under: parent)
        try checkTime(of: link, under: parent)
        guard !links.contains(where: { $0.tokenID == link.tokenID }) else { throw fault(.cycle) }
        guard (parent.capabilities ?? .none).subsume(link.capabilities ?? .none) else { throw fault(.capability) }
        try checkPurpose(of: link, under: root)
        links.append(link)
        lastHash = token.signingInputHash(of: compact, engine: origin.engine)
    }

    private func read(_ token: borrowing SignedToken) throws(TokenRejection) -> AttenuatingLink {
        do throws(TokenRejection) {
            return try AttenuatingLink(token.payload, of: origin.issuer)
        } catch {
            switch error {
            case .audience, .lifetime: throw error
            case .lineage(let fault): throw self.fault(fault.kind)
            default: throw fault(.form)
            }
        }
    }

    private func checkDepth(of link: AttenuatingLink, under parent: AttenuatingLink) throws(TokenRejection) {
        guard link.depth == parent.depth + 1, link.depth <= parent.maximumDepth, link.depth <= link.maximumDepth,
            link.maximumDepth <= parent.maximumDepth
        else { throw fault(.depth) }
    }

    private func checkTime(of link: AttenuatingLink, under parent: AttenuatingLink) throws(TokenRejection) {
        guard link.expiresAt <= parent.expiresAt else { throw fault(.outlivesParent) }
        guard link.issuedAt >= parent.issuedAt else { throw fault(.order) }
    }

    /// What the issuer said of the task, and of who answers for it, a holder may repeat and not change.
    private func checkPurpose(of link: AttenuatingLink, under root: AttenuatingLink) throws(TokenRejection) {
        guard Self.repeats(link.task, root.task) else { throw .invalid(.task) }
        guard Self.repeats(link.orchestration, root.orchestration) else { throw .invalid(.orchestration) }
        guard Self.repeats(link.sponsor, root.sponsor) else { throw .invalid(.sponsor) }
    }

    private static func repeats(_ text: String?, _ original: String?) -> Bool {
        guard let text else { return true }
        guard let original else { return false }
        return text.utf8.span.equals(utf8: original)
    }

    // MARK: All of it

    /// What the chain says of whoever holds its last token.
    func claims() throws(TokenRejection) -> TokenClaims {
        guard let root = links.first, let leaf = links.last, let capabilities = leaf.capabilities else {
            throw .missing(.authorizationDetails)
        }
        guard links.contains(where: \.namesAudience) else { throw .missing(.audience) }
        let issuer = origin.issuer
        return TokenClaims(
            issuer: issuer.issuer, issuerIndex: origin.index, profile: issuer.profile, subject: leaf.holder,
            subjectID: nil, tokenID: leaf.tokenID, clientID: nil, issuedAt: leaf.issuedAt, expiresAt: leaf.expiresAt,
            notBefore: links.compactMap(\.notBefore).max(), scopes: [], confirmations: leaf.confirmations,
            task: root.task, orchestration: root.orchestration, sponsor: root.sponsor,
            authenticationContext: root.authenticationContext, authenticatedAt: root.authenticatedAt,
            retained: retained(), statusReference: root.statusReference,
            lineage: Lineage(links.dropLast().map { $0.lineageLink(issuer: issuer.issuer) }),
            capabilities: capabilities, signingKey: origin.signingKey)
    }

    /// The claims that the issuer made and every holder repeated: a claim about one agent is none about the next.
    private func retained() -> [String: ClaimValue] {
        guard let root = links.first else { return [:] }
        return root.retained.filter { name, value in links.allSatisfy { $0.retained[name] == value } }
    }
}
