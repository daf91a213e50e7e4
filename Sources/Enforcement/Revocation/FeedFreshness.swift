public import Bytes

/// How long what a feed has told may still be believed to be all.
public struct FeedFreshness: Equatable, Sendable {
    /// The feed.
    public let name: String
    /// Until when its silence says nothing; nothing: it was never heard.
    public let freshUntil: UnixTime?
    /// Whether calls are refused once it is stale.
    public let deniesWhenStale: Bool

    /// Makes the freshness of one feed.
    public init(name: String, freshUntil: UnixTime?, deniesWhenStale: Bool) {
        self.name = name
        self.freshUntil = freshUntil
        self.deniesWhenStale = deniesWhenStale
    }

    /// Whether too much may have been revoked that the feed has not told yet; a feed that was never heard is stale.
    public func isStale(at now: UnixTime) -> Bool {
        guard let freshUntil else { return true }
        return now > freshUntil
    }
}
