public import Bytes

/// How a feed is doing.
public struct FeedStatus: Equatable, Sendable {
    /// Its name.
    public let name: String
    /// What the configuration calls its kind.
    public let type: String
    /// How long ago it was heard; of several lists the one that was not for longest; nothing: never.
    public let age: Interval?
    /// Whether that is too long.
    public let isStale: Bool
    /// Why the last attempt failed; nothing where it did not.
    public let lastFailure: String?
    /// How much it has told: statuses, or things taken back since the start.
    public let entries: Int

    /// Makes a status.
    public init(
        name: String, type: String, age: Interval?, isStale: Bool, lastFailure: String?, entries: Int
    ) {
        self.name = name
        self.type = type
        self.age = age
        self.isStale = isStale
        self.lastFailure = lastFailure
        self.entries = entries
    }
}
