import Bytes

/// A token that was verified or asked about, and what must be checked again whenever it is shown.
final class CachedToken {
    let compact: [UInt8]
    /// The tokens that it was made out of, as they were sent; empty where there are none.
    let chain: [UInt8]
    let hash: UInt64
    /// What it says, or why its issuer refuses it; a token that was verified here is never refused.
    let verdict: Result<TokenClaims, TokenRejection>
    /// The issuer's name, leeway and trust domains, so that a hit needs not look the issuer up.
    let issuer: String
    let clockLeeway: Interval
    let trustDomains: [String]?
    /// Whom a Workload Identity Token speaks of; nothing of an access token, so that neither is ever found as the other.
    let workload: VouchedWorkload?
    /// Until when the issuer's answer counts; nothing where the token was verified by its signature.
    let knownUntil: UnixTime?
    let generation: UInt64
    /// When it was used last, as its cache counts.
    var lastUse: UInt64 = 0

    private init(
        compact: [UInt8], chain: [UInt8] = [], hash: UInt64, verdict: Result<TokenClaims, TokenRejection>,
        issuer: TokenIssuer, workload: VouchedWorkload?, knownUntil: UnixTime?, generation: UInt64
    ) {
        self.compact = compact
        self.chain = chain
        self.hash = hash
        self.verdict = verdict
        self.issuer = issuer.issuer
        clockLeeway = issuer.clockLeeway
        trustDomains = issuer.trustDomains
        self.workload = workload
        self.knownUntil = knownUntil
        self.generation = generation
    }

    /// A token that was verified by its signature.
    convenience init(
        compact: [UInt8], chain: [UInt8] = [], hash: UInt64, claims: TokenClaims, of issuer: TokenIssuer,
        workload: VouchedWorkload? = nil, generation: UInt64
    ) {
        self.init(
            compact: compact, chain: chain, hash: hash, verdict: .success(claims), issuer: issuer, workload: workload,
            knownUntil: nil, generation: generation)
    }

    /// A token that its issuer was asked about.
    convenience init(
        compact: [UInt8], hash: UInt64, verdict: Result<TokenClaims, TokenRejection>, of issuer: TokenIssuer,
        until end: UnixTime, generation: UInt64
    ) {
        self.init(
            compact: compact, hash: hash, verdict: verdict, issuer: issuer, workload: nil, knownUntil: end,
            generation: generation)
    }

    /// Whether its bytes, and those of the chain before it, are exactly those.
    func isWritten(_ other: Span<UInt8>, after otherChain: Span<UInt8> = Span()) -> Bool {
        let (compact, chain) = (self.compact, self.chain)
        return compact.span.equalsByWords(other) && chain.span.equalsByWords(otherChain)
    }

    /// Whether it is the same token after the same chain.
    func isWritten(as other: CachedToken) -> Bool {
        hash == other.hash && compact == other.compact && chain == other.chain
    }

    /// Whether its issuer's answer counts no more.
    func isForgotten(at now: UnixTime) -> Bool {
        guard let knownUntil else { return false }
        return now >= knownUntil
    }

    /// Whether it is known: always where its signature was verified; otherwise as long as the answer counts, where its
    /// issuer is one of those that may be asked.
    func isKnown(at now: UnixTime, to issuers: [String]?) -> Bool {
        guard let knownUntil else { return true }
        guard let issuers else { return false }
        return now < knownUntil && issuers.listsExactly(issuer)
    }
}

/// Who a Workload Identity Token speaks of, and who vouched.
struct VouchedWorkload {
    /// The trust domain of its subject.
    let trustDomain: String
    /// The place of the issuer in the table.
    let issuerIndex: Int
    /// The issuer's name, where the token says it.
    let issuer: String?

    /// The place of the issuer that may vouch for it on a listener.
    func issuer(among issuers: IssuerTable, within listenerTrustDomains: [String]?) throws(TokenRejection) -> Int {
        try issuers.workloadIssuer(of: trustDomain, within: listenerTrustDomains) { name in
            guard let issuer else { return true }
            return issuer.utf8.span.equals(utf8: name)
        }
    }
}
