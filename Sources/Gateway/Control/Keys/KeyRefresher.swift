public import Bytes
public import Tokens

/// The key sets that are fetched from issuers, and when: values in, requests out.
///
/// Keys are fetched in the background, so that calls wait only before the first fetch and for a key that nobody has seen yet.
/// There is never more than one fetch for an issuer under way. Calls with unknown keys cause at most one in ten seconds; a key
/// that was not in the set then is not asked for again for a minute. After a failure the next try comes after one second, then
/// two, four, and so on to a minute, whoever asks; meanwhile the old keys stay, until they are older than the configured limit.
public struct KeyRefresher: Sendable {
    private var sets: [RemoteKeySet] = []
    private var lastNumber: UInt64 = 0
    private var jitter: RefreshJitter

    /// Makes a refresher without sources.
    ///
    /// - Parameter jitterSeed: something unpredictable, so that many gateways do not ask at one time; nothing: to the second.
    public init(jitterSeed: UInt64? = nil) {
        jitter = RefreshJitter(seed: jitterSeed)
    }

    /// Sets whose keys are fetched, and from where; of two sources for one issuer the first counts.
    ///
    /// What is known stays known where an issuer's URL and authorities are the same as before; new sources are due at once.
    public mutating func configure(_ sources: [(issuer: String, location: KeySetLocation)], now: MonotonicTime) {
        var configured: [RemoteKeySet] = []
        for (issuer, location) in sources where !configured.contains(where: { $0.issuer == issuer }) {
            if var set = sets.first(where: { $0.issuer == issuer && $0.isAt(location) }) {
                set.adopt(location, now: now)
                configured.append(set)
            } else {
                configured.append(RemoteKeySet(issuer: issuer, location: location, now: now))
            }
        }
        sets = configured
    }

    /// The fetches that are to be made now; each must be followed by ``completed(_:_:at:)``.
    public mutating func due(at now: MonotonicTime) -> [KeyFetch] {
        var fetches: [KeyFetch] = []
        for index in sets.indices where sets[index].isDue(at: now) { fetches.append(begin(index)) }
        return fetches
    }

    /// Says what to do for a call whose token was signed with a key that was not found.
    ///
    /// - Parameters:
    ///   - issuer: the token's issuer.
    ///   - keyID: the token's `kid`.
    ///   - now: the present.
    public mutating func ask(issuer: String, keyID: String?, at now: MonotonicTime) -> KeyAnswer {
        guard let index = sets.firstIndex(where: { $0.issuer == issuer }) else { return .refused }
        switch sets[index].ask(keyID, at: now) {
        case .known: return .known
        case .refused: return .refused
        case .wait: return .wait
        case .fetch: return .fetch(begin(index))
        }
    }

    /// Takes in what a fetch brought; once for each.
    public mutating func completed(
        _ fetch: KeyFetch, _ result: Result<IncomingResponse, RetrievalError>, at now: MonotonicTime
    ) -> KeyOutcome {
        guard let index = sets.firstIndex(where: { $0.issuer == fetch.issuer && $0.fetch == fetch.number }) else {
            return .unchanged
        }
        return sets[index].complete(result, at: now, jitter: &jitter)
    }

    /// The keys that an issuer's tokens may be verified with: none before the first fetch, and where they are too old.
    ///
    /// Keys that were fetched from another place than `location` are none of its.
    public func keys(of issuer: String, from location: KeySetLocation, at now: MonotonicTime) -> KeySet {
        let set = sets.first { $0.issuer == issuer && $0.isAt(location) }
        guard let set, set.isUsable(at: now) else { return .none }
        return set.keys
    }

    /// The issuers whose keys have become too old since the last call: from now on they have none.
    public mutating func lapsed(at now: MonotonicTime) -> [String] {
        var issuers: [String] = []
        for index in sets.indices where sets[index].lapses(at: now) { issuers.append(sets[index].issuer) }
        return issuers
    }

    /// When ``due(at:)`` or ``lapsed(at:)`` have something next; nothing where only the end of a fetch is awaited.
    public var nextDue: MonotonicTime? {
        sets.compactMap(\.nextEvent).min()
    }

    /// How each issuer's keys are doing, in the order of the configuration.
    public func status(at now: MonotonicTime) -> [KeySourceStatus] {
        sets.map { $0.status(at: now) }
    }

    private mutating func begin(_ index: Int) -> KeyFetch {
        lastNumber += 1
        return KeyFetch(
            issuer: sets[index].issuer, request: sets[index].begin(number: lastNumber), number: lastNumber)
    }
}
