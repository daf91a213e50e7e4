public import Bytes
public import Cryptography
public import Revocation

/// What to do for a call whose token names a status list that is not known.
public enum StatusListAnswer: Equatable, Sendable {
    /// The call waits for the fetch that is due now, or under way.
    case wait
    /// Nothing new is to be had at present: what is known stands.
    case settled
}

/// What a fetch of a status list has brought.
public enum StatusListOutcome: Equatable, Sendable {
    /// The list, or its confirmation.
    case fresh
    /// Nothing, for that reason; what was there stays, as long as it is not too old.
    case failed(String)
    /// Something that nobody waits for any more.
    case ignored
}

/// The status lists of one feed, and when they are fetched: values in, requests out.
///
/// A feed of one list fetches it from the start. A feed of many fetches those that tokens name, from the first that does, and
/// forgets each an hour after it was asked for: lists come and go with the tokens in them. There is never more than one
/// fetch of a list under way; after a failure the next try comes after one second, then two, four, and so on to a minute, but
/// never later than the list would have been fetched anyway.
public struct StatusListRefresher: Sendable {
    /// How many lists a feed may have.
    static let capacity = 256
    /// How long a list is kept that nobody asks for.
    static let keepTime = Interval.seconds(3600)
    /// The same of a list that cannot be fetched any more, where what it says of tokens that are revoked is all that keeps them
    /// out: where a list that is not known lets them in.
    static let lastWordTime = Interval.seconds(24 * 3600)

    /// The feed's name.
    public let feed: String
    private var location: StatusListLocation
    private var staleness: Interval
    private var deniesWhenStale: Bool
    private var lists: [String: RemoteStatusList] = [:]
    private var lastNumber: UInt64
    private var jitter: RefreshJitter
    /// What ``change(at:)`` has told last.
    private var isKnownStale = false

    /// Makes a refresher that knows nothing.
    ///
    /// - Parameters:
    ///   - feed: the feed's name.
    ///   - location: the lists.
    ///   - staleness: how old each may become.
    ///   - deniesWhenStale: whether calls are refused whose list is older, or not known.
    ///   - jitterSeed: something unpredictable, so that many gateways do not ask at one time; nothing: to the second.
    ///   - lastNumber: the number before that of its first fetch.
    ///   - now: the present.
    public init(
        feed: String, location: StatusListLocation, staleness: Interval, deniesWhenStale: Bool = true,
        jitterSeed: UInt64? = nil, lastNumber: UInt64 = 0, now: MonotonicTime
    ) {
        self.deniesWhenStale = deniesWhenStale
        self.lastNumber = lastNumber
        self.feed = feed
        self.location = location
        self.staleness = staleness
        jitter = RefreshJitter(seed: jitterSeed)
        if let uri = location.pattern.uri {
            lists[uri] = RemoteStatusList(uri: uri, staleness: staleness, isWanted: false, now: now)
        }
    }

    // MARK: Facts

    /// Whether its lists are those, vouched for by the same authorities.
    public func isAt(_ other: StatusListLocation) -> Bool {
        location.pattern == other.pattern && location.authorityFile == other.authorityFile
    }

    /// Whether the feed has a list of that URI.
    public func covers(_ uri: String) -> Bool { location.pattern.covers(uri) }

    /// The lists as workers may know them.
    public func known(at now: FeedMoment) -> [String: KnownStatusList] {
        lists.filter { $0.value.list != nil || $0.value.lastFailure != nil }.mapValues { $0.known(at: now) }
    }

    /// When there is something to do next; nothing where only the end of a fetch is awaited.
    public var nextDue: MonotonicTime? { lists.values.compactMap(\.nextEvent).min() }

    /// How the feed is doing: as its worst list.
    public func status(at now: FeedMoment) -> FeedStatus {
        let ages = lists.values.map { $0.clock.age(at: now.monotonic) }
        let isAnyUnheard = ages.contains { $0 == nil }
        return FeedStatus(
            name: feed, type: "status_list", age: isAnyUnheard ? nil : ages.compactMap(\.self).max(),
            isStale: isStale(at: now),
            lastFailure: lists.values.sorted { $0.uri < $1.uri }.compactMap(\.lastFailure).first,
            entries: lists.values.reduce(0) { $0 + ($1.list?.count ?? 0) })
    }

    /// Whether a list is too old, has expired or could not be fetched in its time; the one list of a feed has none, since it is
    /// known from the start on that it will be wanted.
    public func isStale(at now: FeedMoment) -> Bool {
        lists.values.contains { $0.isOverdue(at: now) || (!$0.isOneOfMany && $0.isStale(at: now)) }
    }

    /// Whether a fetch of that list is under way.
    public func isFetching(_ uri: String) -> Bool { lists[uri]?.fetch != nil }

    // MARK: Inputs

    /// Takes the settings of the same lists over.
    public mutating func adopt(
        _ location: StatusListLocation, staleness: Interval, deniesWhenStale: Bool = true, now: MonotonicTime
    ) {
        self.location = location
        self.deniesWhenStale = deniesWhenStale
        self.staleness = staleness
        for uri in lists.keys { lists[uri]?.adopt(location, staleness: staleness, now: now) }
    }

    /// Says what to do for a call whose token names a list.
    public mutating func want(_ uri: String, at now: MonotonicTime) -> StatusListAnswer {
        guard covers(uri) else { return .settled }
        guard let list = lists[uri] else {
            guard lists.count < Self.capacity else { return .settled }
            lists[uri] = RemoteStatusList(uri: uri, staleness: staleness, isWanted: true, now: now)
            return .wait
        }
        lists[uri]?.want(at: now)
        return list.fetch != nil || list.isDue(at: now) ? .wait : .settled
    }

    /// Forgets lists that nobody has asked for in a while, in place of fetching them again, also those that cannot be fetched:
    /// their issuer may have retired them.
    ///
    /// - Returns: whether there were any: what workers know must be published again, so that they ask.
    public mutating func forget(at now: MonotonicTime) -> Bool {
        let count = lists.count
        lists = lists.filter { _, list in
            let keepTime = list.isLastWord && !deniesWhenStale ? Self.lastWordTime : Self.keepTime
            return !(list.isDue(at: now) && list.isForgettable(after: keepTime, at: now))
        }
        return lists.count < count
    }

    /// The fetches that are to be made now; each must be followed by ``completed(_:by:engine:at:)``.
    public mutating func due(at now: MonotonicTime) -> [FeedFetch] {
        var fetches: [FeedFetch] = []
        for (uri, list) in lists.sorted(by: { $0.key < $1.key }) where list.isDue(at: now) {
            lastNumber += 1
            guard let request = lists[uri]?.begin(number: lastNumber, authorityFile: location.authorityFile) else {
                continue
            }
            fetches.append(FeedFetch(feed: feed, list: uri, request: request, number: lastNumber))
        }
        return fetches
    }

    /// Takes in what a fetch brought; once for each.
    ///
    /// - Parameters:
    ///   - answer: the fetch and its answer.
    ///   - signer: who must have signed the list.
    ///   - engine: the thread's.
    ///   - now: the present.
    public mutating func completed(
        _ answer: FeedAnswer, by signer: FeedSigner, engine: CryptographicEngine, at now: FeedMoment
    ) -> StatusListOutcome {
        guard let uri = answer.fetch.list, var list = lists[uri], list.fetch == answer.fetch.number else {
            return .ignored
        }
        let failure = list.complete(
            answer, by: signer, engine: engine, every: location.refreshInterval, at: now, jitter: &jitter)
        lists[uri] = list
        return failure.map { .failed($0) } ?? .fresh
    }

    /// What has changed for operators since the last call: each change is told once.
    public mutating func change(at now: FeedMoment) -> FeedClock.Change? {
        for uri in lists.keys { _ = lists[uri]?.change(at: now.monotonic) }
        let isStale = lists.values.contains { $0.isOverdue(at: now) }
        guard isStale != isKnownStale else { return nil }
        isKnownStale = isStale
        return isStale ? .stale : .recovered
    }
}
