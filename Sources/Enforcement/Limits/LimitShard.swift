import Bytes

/// What is counted for one key: 40 bytes.
struct LimitCount: Sendable {
    let key: SipHash.Value
    /// When the last request would have come, had all come one after the other at the rate: the theoretical arrival time of
    /// the generic cell rate algorithm.
    var requestsDue: Int64
    /// When the last byte would have come in the same way.
    var bytesDue: Int64
    /// How many requests are under way.
    var inFlight: UInt32
    let isTaken: Bool

    static let vacancy = LimitCount(key: SipHash.Value(first: 0, second: 0), now: 0, isTaken: false)

    init(key: SipHash.Value, now: Int64, isTaken: Bool = true) {
        self.key = key
        self.isTaken = isTaken
        requestsDue = now
        bytesDue = now
        inFlight = 0
    }

    /// Whether nothing would change if it were forgotten.
    func isIdle(now: Int64) -> Bool { inFlight == 0 && requestsDue <= now && bytesDue <= now }

    mutating func countRequest(cost: Int64, now: Int64) {
        requestsDue = max(requestsDue, now) + cost
    }

    mutating func countBytes(_ bytes: UInt64, perSecond rate: UInt64, now: Int64) {
        let farthest = now + 86_400_000_000_000
        bytesDue = min(farthest, max(bytesDue, now) + RateLimit.cost(ofBytes: bytes, perSecond: rate))
    }
}

/// A part of a limit table: open addressing with linear probing.
///
/// A run of taken places has no gap between a count's home and its place. It begins small and doubles.
struct LimitShard: Sendable {
    private let limit: Int
    private var counts: [LimitCount]
    private(set) var taken = 0
    /// When to look for what is idle again, after a search that found nothing: a flood must not cost a search each.
    private var nextSearch = Int64.min
    private static let searchPause: Int64 = 1_000_000

    init(limit: Int) {
        self.limit = limit
        counts = Array(repeating: .vacancy, count: 16)
    }

    /// The bytes that its counts take.
    var byteCount: Int { counts.count * MemoryLayout<LimitCount>.stride }

    /// The place of a key that is there, or nothing.
    func place(of key: SipHash.Value) -> Int? {
        let index = search(key)
        return counts[index].isTaken ? index : nil
    }

    /// The place of a key, where need be a new one; nothing where there is no room for it.
    mutating func place(for key: SipHash.Value, now: Int64) -> Int? {
        var index = search(key)
        if counts[index].isTaken { return index }
        if taken >= room {
            guard makeRoom(now: now) else { return nil }
            index = search(key)
        }
        counts[index] = LimitCount(key: key, now: now)
        taken += 1
        return index
    }

    /// What is counted at a place.
    subscript(_ index: Int) -> LimitCount {
        get { counts[index] }
        _modify { yield &counts[index] }
    }

    // MARK: Places

    /// How many counts fit into the places that there are at the moment: three of four.
    private var room: Int { min(limit, counts.count / 4 * 3) }

    private func home(of key: SipHash.Value) -> Int {
        Int(truncatingIfNeeded: key.first & UInt64(counts.count - 1))
    }

    private func place(after index: Int) -> Int { (index + 1) & (counts.count - 1) }

    /// The place of a key, or the free one at the end of its run.
    private func search(_ key: SipHash.Value) -> Int {
        var index = home(of: key)
        while counts[index].isTaken, counts[index].key != key { index = place(after: index) }
        return index
    }

    // MARK: Room

    /// Forgets all that is idle, and grows where that did not help much; whether there is room now.
    private mutating func makeRoom(now: Int64) -> Bool {
        guard now >= nextSearch else { return false }
        let busy = counts.filter { $0.isTaken && !$0.isIdle(now: now) }
        var size = counts.count
        while busy.count >= size / 2, size / 4 * 3 < limit { size *= 2 }
        counts = Array(repeating: .vacancy, count: size)
        taken = busy.count
        for count in busy { counts[search(count.key)] = count }
        if taken >= room { nextSearch = now + Self.searchPause }
        return taken < room
    }
}
