public import Reactor

/// The idle connections to one target, the latest first: the warmest is used again and the others can age out.
public struct IdlePool: Sendable {
    private var keys: [SlotKey] = []
    private let limit: Int

    /// Makes an empty pool.
    ///
    /// - Parameter limit: the most connections that are kept.
    public init(limit: Int) {
        self.limit = limit
    }

    /// The number of idle connections.
    public var count: Int { keys.count }

    /// Puts a connection in.
    ///
    /// - Returns: the connection that has been idle longest and must be closed, where there are too many now.
    public mutating func push(_ key: SlotKey) -> SlotKey? {
        keys.append(key)
        return keys.count > limit ? keys.removeFirst() : nil
    }

    /// Takes out the connection that was put in last.
    public mutating func pop() -> SlotKey? {
        keys.popLast()
    }

    /// Takes out a connection that has ended meanwhile.
    public mutating func remove(_ key: SlotKey) {
        if let index = keys.lastIndex(of: key) { keys.remove(at: index) }
    }

    /// Takes all out.
    public mutating func removeAll() -> [SlotKey] {
        defer { keys.removeAll() }
        return keys
    }
}
