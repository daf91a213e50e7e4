public import Bytes
public import Cryptography
public import Identity

/// The revocation lists of one source, and when to look for others: values in, requests out.
///
/// Lists only ever get newer: one that is older than what was seen of its issuer before is left alone, so that nobody who can
/// write the file, or answer for the URL, brings back a time when something was not revoked yet. What is broken changes
/// nothing: the lists that are there stay until they expire.
public struct RevocationListKeeper: Sendable {
    /// How often a file is looked at.
    static let lookInterval = Interval.seconds(1)
    /// The longest time between two fetches while a list has expired, or none was ever fetched.
    static let urgentInterval = Interval.seconds(30)
    /// The pause after the first fetch that failed; it doubles with each.
    static let firstPause = Interval.seconds(1)
    /// The longest pause after a fetch that failed.
    static let longestPause = Interval.seconds(60)
    /// How long a fetch may take.
    static let timeout = Interval.seconds(30)

    /// Where the lists come from.
    public private(set) var location: RevocationListLocation
    /// The lists that are judged by.
    public private(set) var lists: [CertificateRevocationList] = []

    private var authorities: [Certificate]
    /// The latest that was seen of each kind of list, as long as the source is known.
    private var editions: [Kind: CertificateRevocationList.Edition] = [:]
    private var entityTag: String?
    private var confirmedAt: MonotonicTime?
    private var nextLook: MonotonicTime
    private var isLooking = false
    private var failures = 0
    private var lastFailure: String?
    private var expired: Set<Digest256> = []

    /// What the lists of a source are told apart by.
    private struct Kind: Hashable {
        let issuer: String
        let keyIdentifier: [UInt8]?
        let coverage: CertificateRevocationList.Coverage
        let distributionPoints: [[UInt8]]

        init(_ list: CertificateRevocationList) {
            issuer = IssuerName.normalized(list.issuer)
            keyIdentifier = list.keyIdentifier
            coverage = list.coverage
            distributionPoints = list.distributionPoints
        }
    }

    /// Knows nothing, and is due.
    ///
    /// - Parameters:
    ///   - location: where the lists come from.
    ///   - authorities: those whose lists they may be: one that bears such a name and was not signed by it is refused.
    ///   - now: the present.
    public init(location: RevocationListLocation, authorities: [Certificate], now: MonotonicTime) {
        self.location = location
        self.authorities = authorities
        nextLook = now
    }

    // MARK: Facts

    /// When there is something to look at; nothing while a look is under way.
    public var nextEvent: MonotonicTime? { isLooking ? nil : nextLook }

    /// Whether it is time to look.
    public func isDue(at now: MonotonicTime) -> Bool { !isLooking && nextLook <= now }

    /// The first moment after `civil` at which a list has expired.
    public func nextExpiry(after civil: UnixTime) -> UnixTime? {
        lists.map(\.nextUpdate).filter { $0 >= civil }.min()
    }

    /// How the source is doing.
    public func status(at now: MonotonicTime, _ civil: UnixTime) -> RevocationListStatus {
        RevocationListStatus(
            location: location.text, age: confirmedAt.map { now - $0 },
            isExpired: lists.contains { $0.isExpired(at: civil) }, entries: lists.reduce(0) { $0 + $1.count },
            nextUpdate: lists.map(\.nextUpdate).min(), lastFailure: lastFailure)
    }

    // MARK: Inputs

    /// Takes the authorities of a new configuration over; the place is the same.
    public mutating func adopt(authorities: [Certificate]) {
        self.authorities = authorities
    }

    /// Notes that a look is under way, which must end with ``take(_:at:_:)``.
    ///
    /// - Returns: the request where the lists come from a URL.
    public mutating func begin() -> OutgoingRequest? {
        isLooking = true
        guard case .url(let url, _, let authorityFile) = location else { return nil }
        var fields = [(name: "accept", value: "application/pkix-crl, application/x-pem-file, */*;q=0.1")]
        if let entityTag { fields.append(("if-none-match", entityTag)) }
        return OutgoingRequest(
            url: url, fields: fields, authorityFile: authorityFile, timeout: Self.timeout,
            responseLimit: RevocationListLocation.maximumByteCount)
    }

    /// Takes in what a look has brought, or what the configuration found there.
    public mutating func take(
        _ reading: RevocationListReading, at now: MonotonicTime, _ civil: UnixTime
    ) -> RevocationListOutcome {
        isLooking = false
        var outcome = RevocationListOutcome()
        switch reading {
        case .failed(let reason): outcome = fail(reason, at: now)
        case .unchanged: confirm(at: now)
        case .lists(let fresh, let entityTag):
            if let forged = fresh.first(where: { $0.isForged(among: authorities) }) {
                outcome = fail("the list of \(forged.issuer) is not signed by that authority", at: now)
                break
            }
            lastFailure = nil
            self.entityTag = entityTag
            confirm(at: now)
            outcome = replace(by: fresh)
        }
        schedule(at: now, civil)
        return outcome
    }

    /// The issuers whose lists have expired since the last call; a fetch is due at once then.
    public mutating func lapsed(at civil: UnixTime, _ now: MonotonicTime) -> [String] {
        var issuers: [String] = []
        for list in lists where list.isExpired(at: civil) && expired.insert(list.digest).inserted {
            issuers.append(list.issuer)
        }
        if !issuers.isEmpty, failures == 0 { nextLook = min(nextLook, now) }
        return issuers
    }

    // MARK: Lists

    private mutating func replace(by fresh: [CertificateRevocationList]) -> RevocationListOutcome {
        var outcome = RevocationListOutcome()
        var chosen: [Kind: CertificateRevocationList] = [:]
        var order: [Kind] = []
        for list in fresh {
            let kind = Kind(list)
            if let edition = editions[kind], list.edition.isOlder(than: edition) {
                // An older one beside its successor, in one file, is nothing to tell.
                guard chosen[kind] == nil else { continue }
                if !fresh.contains(where: { Kind($0) == kind && !$0.edition.isOlder(than: edition) }) {
                    outcome.older.append(list.issuer)
                }
                guard let known = lists.first(where: { Kind($0) == kind }) else { continue }
                chosen[kind] = known
            } else {
                editions[kind] = list.edition
                chosen[kind] = list
            }
            if !order.contains(kind) { order.append(kind) }
        }
        for list in lists where chosen[Kind(list)] == nil { outcome.dropped.append(list.issuer) }
        let replaced = order.compactMap { chosen[$0] }
        outcome.hasChanged = replaced.map(\.digest) != lists.map(\.digest)
        lists = replaced
        expired.formIntersection(lists.map(\.digest))
        return outcome
    }

    // MARK: Time

    private mutating func confirm(at now: MonotonicTime) {
        failures = 0
        // A file that was broken and is still the same has told nothing.
        if case .file = location, lastFailure != nil { return }
        lastFailure = nil
        confirmedAt = now
    }

    private mutating func fail(_ reason: String, at now: MonotonicTime) -> RevocationListOutcome {
        let isNews = lastFailure != reason
        failures += 1
        lastFailure = reason
        return RevocationListOutcome(failure: isNews ? reason : nil)
    }

    private mutating func schedule(at now: MonotonicTime, _ civil: UnixTime) {
        guard case .url(_, let interval, _) = location else {
            nextLook = now + Self.lookInterval
            return
        }
        if failures > 0 {
            let doublings = min(failures - 1, 16)
            nextLook = now + min(Self.longestPause, Interval(nanoseconds: Self.firstPause.nanoseconds << doublings))
        } else {
            let isUrgent = lists.isEmpty || lists.contains { $0.isExpired(at: civil) }
            nextLook = now + (isUrgent ? min(interval, Self.urgentInterval) : interval)
        }
    }
}
