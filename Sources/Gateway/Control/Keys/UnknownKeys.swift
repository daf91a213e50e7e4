import Bytes

/// Identifiers of keys that an issuer did not have when it was asked: for a while, and not too many.
struct UnknownKeys: Sendable {
    /// How many are remembered; the oldest makes room.
    static let capacity = 64
    /// How long each is remembered.
    static let lifetime = Interval.seconds(60)

    private var entries: [(keyID: String, until: MonotonicTime)] = []

    /// The number that is remembered.
    var count: Int { entries.count }

    /// Whether that key was found missing a short while ago.
    func contains(_ keyID: String, at now: MonotonicTime) -> Bool {
        entries.contains { $0.until > now && $0.keyID.utf8.elementsEqual(keyID.utf8) }
    }

    /// Remembers that the key is missing now.
    mutating func insert(_ keyID: String, at now: MonotonicTime) {
        entries.removeAll { $0.until <= now || $0.keyID.utf8.elementsEqual(keyID.utf8) }
        if entries.count == Self.capacity { entries.removeFirst() }
        entries.append((keyID, now + Self.lifetime))
    }
}
