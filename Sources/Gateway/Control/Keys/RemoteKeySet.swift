import Bytes
import Cryptography
import Tokens

/// The keys of one issuer, and all that is known about fetching them.
struct RemoteKeySet: Sendable {
    /// What to do for a call.
    enum Advice {
        case fetch, known, refused, wait
    }

    /// At most one fetch in this time is made because calls ask for unknown keys.
    static let askInterval = Interval.seconds(10)
    /// The pause after the first failure; it doubles with each.
    static let firstPause = Interval.seconds(1)
    /// The longest pause after a failure.
    static let longestPause = Interval.seconds(60)
    /// The shortest time that an answer can claim to be fresh for.
    static let shortestFreshness = Interval.seconds(10)
    /// How long a fetch may take.
    static let timeout = Interval.seconds(5)
    /// The most bytes of a set: as many as its reader takes.
    static let responseLimit = 1 << 20
    /// The longest entity tag that is sent back.
    static let entityTagLimit = 256

    let issuer: String
    /// The keys as they were fetched last, too old or not.
    private(set) var keys = KeySet.none
    /// The number of the fetch under way.
    private(set) var fetch: UInt64?

    private var location: KeySetLocation
    private var entityTag: String?
    /// When the keys were last known to be current.
    private var confirmedAt: MonotonicTime?
    private var hasLapsed = false
    private var nextFetch: MonotonicTime
    private var failures = 0
    private var lastFailure: String?
    private var nextAsk: MonotonicTime
    /// What calls have asked for and the fetch under way may bring.
    private var asked: [String] = []
    private var unknown = UnknownKeys()

    /// Knows nothing, and is due.
    init(issuer: String, location: KeySetLocation, now: MonotonicTime) {
        self.issuer = issuer
        self.location = location
        nextFetch = now
        nextAsk = now
    }

    // MARK: Facts

    /// Whether the keys come from there, and are vouched for by the same authorities.
    func isAt(_ other: KeySetLocation) -> Bool {
        location.url == other.url && location.authorityFile == other.authorityFile
    }

    func isDue(at now: MonotonicTime) -> Bool { fetch == nil && nextFetch <= now }

    func isUsable(at now: MonotonicTime) -> Bool {
        guard let end = usableUntil else { return false }
        return now < end
    }

    /// When there is something to do next, unless a fetch ends before.
    var nextEvent: MonotonicTime? {
        [fetch == nil ? nextFetch : nil, hasLapsed ? nil : usableUntil].compactMap { $0 }.min()
    }

    func status(at now: MonotonicTime) -> KeySourceStatus {
        KeySourceStatus(
            issuer: issuer, age: confirmedAt.map { now - $0 }, lastFailure: lastFailure, isUsable: isUsable(at: now))
    }

    private var usableUntil: MonotonicTime? { confirmedAt.map { $0 + location.maximumStaleness } }

    private func has(_ keyID: String) -> Bool {
        keys.keys.contains { $0.keyID?.utf8.elementsEqual(keyID.utf8) == true }
    }

    // MARK: Inputs

    /// Takes the settings of the same place over.
    mutating func adopt(_ location: KeySetLocation, now: MonotonicTime) {
        self.location = location
        if failures == 0 { nextFetch = min(nextFetch, now + location.refreshInterval) }
        if isUsable(at: now) { hasLapsed = false }
    }

    /// Whether the keys have just become too old; true once.
    mutating func lapses(at now: MonotonicTime) -> Bool {
        guard confirmedAt != nil, !hasLapsed, !isUsable(at: now) else { return false }
        hasLapsed = true
        return true
    }

    /// Judges a call's wish; after `.fetch`, ``begin(number:)`` must follow.
    mutating func ask(_ keyID: String?, at now: MonotonicTime) -> Advice {
        let isUsable = isUsable(at: now)
        if isUsable {
            guard let keyID, !has(keyID) else { return .known }
            guard !unknown.contains(keyID, at: now) else { return .refused }
        }
        if fetch == nil {
            guard failures == 0 || nextFetch <= now else { return .refused }
            if isUsable {
                guard nextAsk <= now else { return .refused }
                nextAsk = now + Self.askInterval
            }
        }
        if let keyID, asked.count < UnknownKeys.capacity, !asked.contains(keyID) { asked.append(keyID) }
        return fetch == nil ? .fetch : .wait
    }

    /// Notes that a fetch is under way, and gives its request.
    mutating func begin(number: UInt64) -> OutgoingRequest {
        fetch = number
        var fields = [(name: "accept", value: "application/jwk-set+json, application/json")]
        if let entityTag { fields.append(("if-none-match", entityTag)) }
        return OutgoingRequest(
            url: location.url, fields: fields, authorityFile: location.authorityFile, timeout: Self.timeout,
            responseLimit: Self.responseLimit,
            // The configuration has no such URL without the permission for it.
            dangerouslyAllowsPlainHTTP: location.url.lowercased().hasPrefix("http:"))
    }

    /// Takes in what the fetch under way brought.
    mutating func complete(
        _ result: Result<IncomingResponse, RetrievalError>, at now: MonotonicTime, jitter: inout RefreshJitter
    ) -> KeyOutcome {
        let missed = asked
        fetch = nil
        asked = []
        let fresh: KeySet
        let response: IncomingResponse
        do throws(FetchFailure) {
            (fresh, response) = try read(result)
        } catch {
            return fail(error.reason, at: now)
        }
        let (before, wasUsable) = (keys, isUsable(at: now))
        keys = fresh
        entityTag = response.status == 304 ? entityTag : Self.entityTag(of: response)
        confirmedAt = now
        hasLapsed = false
        failures = 0
        lastFailure = nil
        nextFetch = now + jitter.shorten(pause(after: response))
        for keyID in missed where !has(keyID) { unknown.insert(keyID, at: now) }
        let differs = Self.content(of: fresh) != Self.content(of: before)
        guard differs || !wasUsable else { return .unchanged }
        return .changed(fresh, isRotation: differs && !before.isEmpty)
    }

    private struct FetchFailure: Error {
        let reason: String
    }

    /// The keys that an answer gives or confirms.
    private func read(
        _ result: Result<IncomingResponse, RetrievalError>
    ) throws(FetchFailure) -> (KeySet, IncomingResponse) {
        switch result {
        case .failure(let error): throw FetchFailure(reason: error.description)
        case .success(let response) where response.status == 304 && entityTag != nil: return (keys, response)
        case .success(let response) where response.status == 200:
            do throws(KeySetError) {
                return (try KeySet(jwks: response.body.span), response)
            } catch {
                throw FetchFailure(reason: "the key set \(error)")
            }
        case .success(let response):
            throw FetchFailure(reason: RetrievalError.status(response.status).description)
        }
    }

    private mutating func fail(_ reason: String, at now: MonotonicTime) -> KeyOutcome {
        let doublings = min(failures, 16)
        failures += 1
        lastFailure = reason
        nextFetch = now + min(Self.longestPause, Interval(nanoseconds: Self.firstPause.nanoseconds << doublings))
        return .failed(reason)
    }

    /// The shorter of what is configured and what the answer says, which may not make it very short.
    private func pause(after response: IncomingResponse) -> Interval {
        guard let lifetime = Freshness.lifetime(response.fields) else { return location.refreshInterval }
        return min(location.refreshInterval, max(Self.shortestFreshness, lifetime))
    }

    /// The entity tag (RFC 9110 §8.8.3) of a full answer.
    private static func entityTag(of response: IncomingResponse) -> String? {
        guard let tag = response.fields["etag"], tag.utf8.count <= entityTagLimit,
            tag.hasPrefix("\"") || tag.hasPrefix("W/\""), tag.hasSuffix("\""),
            tag.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return tag
    }

    private struct Member: Hashable {
        let keyID: String?
        let algorithm: SignatureAlgorithm?
        let thumbprint: Digest256
    }

    /// What makes a set the same as another, in whatever order and spelling.
    private static func content(of keys: KeySet) -> Set<Member> {
        Set(
            keys.keys.map {
                Member(keyID: $0.keyID, algorithm: $0.algorithm, thumbprint: $0.publicKey.thumbprint)
            })
    }
}
