public import Identity

/// All keys that are revoked: an immutable value of which changed copies are cheap.
///
/// It is a table of 4096 shards. A changed copy shares all of them with the original but the one that differs, so that a
/// snapshot with ten million keys is followed by the next for the price of some tens of kilobytes. Looking a key up locks and
/// allocates nothing, and touches one place of memory that no cache holds.
public struct RevocationSet: Sendable {
    private var shards: [RevocationShard]
    /// How many keys there are.
    public private(set) var count = 0
    // Spreads keys so that nobody outside can tell which ones meet: names are chosen by those whose credentials are revoked.
    private let spread: UInt64

    private static let shardBits = 12

    /// Makes a set without keys.
    public init() {
        self.init(spread: UInt64(truncatingIfNeeded: Hasher().finalize()))
    }

    /// Makes a set without keys that is spread in a known way.
    init(spread: UInt64) {
        self.spread = spread | 1
        shards = Array(repeating: RevocationShard(), count: 1 << Self.shardBits)
    }

    /// Makes a set of those keys.
    public init(_ keys: [RevocationKey]) {
        self.init()
        insert(contentsOf: keys)
    }

    /// Whether there are no keys.
    public var isEmpty: Bool { count == 0 }

    /// Whether `key` is one of them.
    public func contains(_ key: RevocationKey) -> Bool {
        shards[shard(of: key)].contains(key, spread: spread)
    }

    /// Adds a key; one that is there already changes nothing.
    public mutating func insert(_ key: RevocationKey) {
        if shards[shard(of: key)].insert(key, spread: spread) { count += 1 }
    }

    /// Adds many keys, shard by shard, so that each shard comes into the processor's cache once for all of its keys.
    public mutating func insert(contentsOf keys: [RevocationKey]) {
        // A counting sort by shard.
        var ends = [Int](repeating: 0, count: shards.count)
        for key in keys { ends[shard(of: key)] += 1 }
        for index in ends.indices.dropFirst() { ends[index] += ends[index - 1] }
        var sorted = keys
        for key in keys {
            ends[shard(of: key)] -= 1
            sorted[ends[shard(of: key)]] = key
        }
        for key in sorted { insert(key) }
    }

    /// Takes a key away; one that is not there changes nothing.
    public mutating func remove(_ key: RevocationKey) {
        if shards[shard(of: key)].remove(key, spread: spread) { count -= 1 }
    }

    /// Makes room for that many keys in all, before a great number of them is added.
    public mutating func reserveCapacity(_ capacity: Int) {
        for index in shards.indices { shards[index].reserveCapacity(capacity >> Self.shardBits, spread: spread) }
    }

    // A product with a secret odd number: of two keys none can be chosen that probably meet (multiply-shift hashing).
    private func shard(of key: RevocationKey) -> Int {
        Int(truncatingIfNeeded: (key.high &* spread) >> UInt64(64 - Self.shardBits))
    }
}
