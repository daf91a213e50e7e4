public import Bytes
public import Tokens

/// The status lists that are known, and whose tokens must be looked up in them: immutable, published whole.
public struct StatusListTable: Sendable {
    /// Whose tokens have to be looked up, by the issuer's name.
    private let sources: [String: [StatusListSource]]

    /// No issuer has lists.
    public static let none = StatusListTable([])

    /// Whether no issuer has lists: then no token is looked up.
    public var isEmpty: Bool { sources.isEmpty }

    /// Makes a table of the lists of some feeds; where two cover a URI, the first counts.
    public init(_ sources: [StatusListSource]) {
        self.sources = Dictionary(grouping: sources, by: \.issuer)
    }

    /// Says what is known of a token.
    ///
    /// - Parameters:
    ///   - reference: where the token says that its status is kept.
    ///   - issuer: the token's issuer.
    ///   - now: the time.
    public func status(of reference: StatusReference, issuer: String, now: UnixTime) -> StatusVerdict {
        guard let sources = sources[issuer] else { return .notListed }
        guard let source = sources.first(where: { $0.pattern.covers(reference.uri) }) else { return .foreign }
        guard let known = source.lists[reference.uri] else { return .unknown(reference.uri) }
        let isDoubtful = source.deniesWhenStale && !known.isFresh(at: now)
        guard let list = known.list else { return isDoubtful ? .stale(feed: source.feed) : .valid }
        guard let status = list.status(at: reference.index) else { return .outOfRange }
        // What was taken back stays so, however old the list.
        guard status == 0 else { return .status(status) }
        return isDoubtful ? .stale(feed: source.feed) : .valid
    }
}

/// The status lists of one feed.
public struct StatusListSource: Sendable {
    /// The feed's name.
    public let feed: String
    /// Whose tokens are looked up.
    public let issuer: String
    /// The URIs that the feed covers.
    public let pattern: StatusListPattern
    /// Whether a token is refused where its list is stale.
    public let deniesWhenStale: Bool
    /// The lists that were fetched, or that could not be, by their URIs.
    public let lists: [String: KnownStatusList]

    /// Makes a source.
    public init(
        feed: String, issuer: String, pattern: StatusListPattern, deniesWhenStale: Bool,
        lists: [String: KnownStatusList]
    ) {
        self.feed = feed
        self.issuer = issuer
        self.pattern = pattern
        self.deniesWhenStale = deniesWhenStale
        self.lists = lists
    }
}

/// A status list as it was fetched last, and how long it counts.
public struct KnownStatusList: Sendable {
    /// The list; nothing where it could never be fetched.
    public let list: StatusList?
    /// From when on it is stale, unless it expires before; nothing where it is stale already.
    public let freshUntil: UnixTime?

    /// Makes an entry.
    public init(list: StatusList?, freshUntil: UnixTime?) {
        self.list = list
        self.freshUntil = freshUntil
    }

    /// Whether it counts; it does not from the moment on that its issuer set as its end.
    func isFresh(at now: UnixTime) -> Bool {
        guard let list, let freshUntil, now < freshUntil else { return false }
        guard let end = list.expiresAt else { return true }
        return now < end
    }
}
