import Reactor

/// The keys of connections in the order in which they came: the latest few thousand, which is more than handshakes take.
struct ArrivalQueue {
    private static let limit = 4096
    private var keys: [SlotKey] = []
    private var start = 0

    /// Puts a key behind the others.
    mutating func append(_ key: SlotKey) {
        if keys.count - start >= Self.limit { start += 1 }
        if start >= Self.limit {
            keys.removeFirst(start)
            start = 0
        }
        keys.append(key)
    }

    /// Takes the oldest key out.
    mutating func popFirst() -> SlotKey? {
        guard start < keys.count else { return nil }
        start += 1
        return keys[start - 1]
    }
}
