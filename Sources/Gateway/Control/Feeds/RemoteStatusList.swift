import Bytes
import Cryptography
import Revocation

/// One status list, and all that is known about fetching it.
struct RemoteStatusList: Sendable {
    /// How long a fetch may take.
    static let timeout = Interval.seconds(5)
    /// The shortest time between two fetches, whatever the list asks for.
    static let shortestInterval = Interval.seconds(1)
    private static let entityTagLimit = 256

    let uri: String
    /// The list as it was fetched last.
    private(set) var list: StatusList?
    /// The number of the fetch under way.
    private(set) var fetch: UInt64?
    /// When a call asked for it last; nothing where it is fetched whether or not one does.
    private(set) var wantedAt: MonotonicTime?
    private(set) var lastFailure: String?
    /// Whether its server says that there is no such list.
    private var isGone = false
    private(set) var clock: FeedClock
    private var nextFetch: MonotonicTime
    private var pauses = FetchPauses()
    private var entityTag: String?

    /// Knows nothing, and is due.
    init(uri: String, staleness: Interval, isWanted: Bool, now: MonotonicTime) {
        self.uri = uri
        clock = FeedClock(staleness: staleness, now: now)
        wantedAt = isWanted ? now : nil
        nextFetch = now
    }

    // MARK: Facts

    func isDue(at now: MonotonicTime) -> Bool { fetch == nil && nextFetch <= now }

    /// Whether its issuer lets it count at all, and it was confirmed not long ago.
    func isStale(at now: FeedMoment) -> Bool { known(at: now).freshUntil == nil }

    /// What workers may know of it.
    func known(at now: FeedMoment) -> KnownStatusList {
        let hasExpired = list?.expiresAt.map { $0 <= now.civil } ?? false
        return KnownStatusList(list: list, freshUntil: hasExpired ? nil : clock.freshUntil(at: now.monotonic))
    }

    /// Whether its staleness is worth an alarm: what was never fetched has its time first, and of many lists one that does not
    /// exist any more is missed by nobody but the calls that name it, which are refused.
    func isOverdue(at now: FeedMoment) -> Bool {
        guard isStale(at: now), !(isGone && isOneOfMany) else { return false }
        return list != nil || clock.isOverdue(at: now.monotonic)
    }

    /// Whether it is fetched only because calls ask for it.
    var isOneOfMany: Bool { wantedAt != nil }

    /// Whether it says something that only it can say any more, since it cannot be fetched.
    var isLastWord: Bool { list != nil && pauses.failures > 0 }

    /// Whether nobody has asked for it for that long: it can be fetched again when somebody does.
    func isForgettable(after interval: Interval, at now: MonotonicTime) -> Bool {
        guard let wantedAt, fetch == nil else { return false }
        return wantedAt + interval <= now
    }

    /// When there is something to do next, unless a fetch ends before.
    var nextEvent: MonotonicTime? {
        [fetch == nil ? nextFetch : nil, clock.nextEvent].compactMap(\.self).min()
    }

    // MARK: Inputs

    /// Takes the settings of a new configuration over.
    mutating func adopt(_ location: StatusListLocation, staleness: Interval, now: MonotonicTime) {
        clock.adopt(staleness: staleness)
        if pauses.failures == 0 { nextFetch = min(nextFetch, now + location.refreshInterval) }
    }

    /// A call asks for it.
    mutating func want(at now: MonotonicTime) {
        if wantedAt != nil { wantedAt = now }
    }

    /// What has changed for operators; told once.
    mutating func change(at now: MonotonicTime) -> FeedClock.Change? { clock.change(at: now) }

    /// Notes that a fetch is under way, and gives its request.
    mutating func begin(number: UInt64, authorityFile: String?) -> OutgoingRequest {
        fetch = number
        var fields = [(name: "accept", value: "application/statuslist+jwt")]
        if let entityTag, list != nil { fields.append(("if-none-match", entityTag)) }
        return OutgoingRequest(
            url: uri, fields: fields, authorityFile: authorityFile, timeout: Self.timeout,
            responseLimit: StatusListToken.maximumLength)
    }

    /// Takes in what the fetch under way brought.
    ///
    /// - Returns: why it failed, if it did.
    mutating func complete(
        _ answer: FeedAnswer, by signer: FeedSigner, engine: CryptographicEngine, every interval: Interval,
        at now: FeedMoment, jitter: inout RefreshJitter
    ) -> String? {
        fetch = nil
        isGone = false
        do throws(FetchFailure) {
            let (fresh, response) = try read(answer, by: signer, engine: engine, now: now.civil)
            list = fresh
            if response.status != 304 { entityTag = Self.entityTag(of: response) }
            clock.heard(at: now)
            pauses.end()
            lastFailure = nil
            let wished = fresh.timeToLive.map { max(Self.shortestInterval, min($0, interval)) } ?? interval
            nextFetch = now.monotonic + jitter.shorten(wished)
            return nil
        } catch {
            lastFailure = error.reason
            isGone = error.isGone
            nextFetch = now.monotonic + pauses.next(atMost: max(interval, FetchPauses.first))
            return error.reason
        }
    }

    private struct FetchFailure: Error {
        let reason: String
        var isGone = false
    }

    /// The list that an answer gives or confirms.
    private func read(
        _ answer: FeedAnswer, by signer: FeedSigner, engine: CryptographicEngine, now: UnixTime
    ) throws(FetchFailure) -> (StatusList, IncomingResponse) {
        let response: IncomingResponse
        switch answer.result {
        case .failure(let error): throw FetchFailure(reason: error.description)
        case .success(let received): response = received
        }
        if response.status == 304, let list, entityTag != nil { return (list, response) }
        guard response.status == 200 else {
            throw FetchFailure(
                reason: RetrievalError.status(response.status).description,
                isGone: [404, 410].contains(response.status))
        }
        do throws(StatusListFault) {
            let fresh = try answer.verifiedList(by: signer, engine: engine, now: now).get()
            if let list, fresh.issuedAt < list.issuedAt { throw .older }
            return (fresh, response)
        } catch {
            throw FetchFailure(reason: "the list is refused: \(error)")
        }
    }

    /// The entity tag (RFC 9110 §8.8.3) of a full answer.
    private static func entityTag(of response: IncomingResponse) -> String? {
        guard let tag = response.fields["etag"], tag.utf8.count <= entityTagLimit,
            tag.hasPrefix("\"") || tag.hasPrefix("W/\""), tag.hasSuffix("\""),
            tag.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return tag
    }
}
