import Bytes

/// A part of the replay table: open addressing with linear probing.
///
/// A run of occupied places has no gap between an entry's home and its place; an expired entry keeps the run together like a
/// live one until its place is taken, or until a sweep closes the gap. Times are in milliseconds since the table began.
struct ReplayShard: Sendable {
    /// 24 bytes, so that a search seldom touches more than one or two cache lines.
    private struct Entry {
        var key: SipHash.Value
        /// The last millisecond of its life in the upper 40 bits, enough for 34 years, and its owner in the lower 24; 0 where the
        /// place is free.
        var life: UInt64

        static let vacancy = Entry(key: SipHash.Value(first: 0, second: 0), life: 0)
        static let latestExpiry: UInt64 = 1 << 40 - 1

        init(key: SipHash.Value, life: UInt64) {
            self.key = key
            self.life = life
        }

        init(key: SipHash.Value, expiresAt: UInt64, owner: UInt32) {
            self.init(key: key, life: expiresAt << 24 | UInt64(owner & 0xFF_FFFF))
        }

        var isFree: Bool { life == 0 }
        var expiresAt: UInt64 { life >> 24 }
        var owner: UInt32 { UInt32(truncatingIfNeeded: life) & 0xFF_FFFF }
    }

    /// What a search for a key comes upon.
    private enum Place {
        /// The key, alive.
        case known
        /// An expired entry on the way.
        case expired(Int)
        /// The end of the run.
        case free(Int)
    }

    /// The most entries, and the most of one owner.
    private let limit: Int
    private let share: Int
    /// The number of places at which the shard stops growing: at the limit, three of five are taken.
    private let mostPlaces: Int

    private var entries: [Entry]
    /// The number of entries, kept here: to ask the array for it would load memory before the search can begin.
    private var placeCount: Int
    private var owners = OwnerCounts()
    /// The number of entries, live or expired.
    private(set) var occupied = 0
    /// No entry expires before this moment.
    private var earliest = UInt64.max
    /// The latest expiry of all that was forgotten: what expires no later may have been among it.
    ///
    /// So a clock that is set back, or two workers whose clocks differ by a moment, do not make an old proof new.
    private var forgotten: UInt64 = 0

    init(limit: Int, share: Int) {
        precondition(limit <= UInt16.max, "more entries than an owner's count can hold")
        self.limit = limit
        self.share = share
        mostPlaces = limit / 3 * 5 + 6
        placeCount = min(64, mostPlaces)
        entries = Array(repeating: .vacancy, count: placeCount)
    }

    /// The bytes that its entries and counts take.
    var byteCount: Int { entries.count * MemoryLayout<Entry>.stride + owners.byteCount }

    /// Inserts a key that is not there, or says why not.
    ///
    /// - Parameters:
    ///   - key: must not be known and alive.
    ///   - owner: 24 bits that stand for whose it is.
    ///   - expiresAt: the last moment of its life, after the table's beginning.
    ///   - now: the time.
    mutating func insert(_ key: SipHash.Value, owner: UInt32, expiresAt: UInt64, now: UInt64) -> ReplayOutcome {
        guard expiresAt > forgotten else { return .beyondMemory }
        let place = self.place(for: key, now: now)
        if case .known = place { return .replayed }
        if owners.count(of: owner) >= share {
            guard sweep(now: now), owners.count(of: owner) < share else { return .overShare }
            return insert(key, owner: owner, expiresAt: expiresAt, now: now)
        }
        let entry = Entry(key: key, expiresAt: min(expiresAt, Entry.latestExpiry), owner: owner)
        switch place {
        case .expired(let index):
            forget(entries[index])
            take(index, entry)
        case .free(let index) where occupied < room:
            take(index, entry)
        default:
            guard makeRoom(now: now) else { return .full }
            return insert(key, owner: owner, expiresAt: expiresAt, now: now)
        }
        return .inserted
    }

    // MARK: Places

    /// How many entries fit into the places that there are at the moment.
    private var room: Int { min(limit, placeCount / 5 * 3) }

    /// The place at which the search for a key begins.
    private func home(of key: SipHash.Value) -> Int {
        Int(truncatingIfNeeded: key.first.multipliedFullWidth(by: UInt64(placeCount)).high)
    }

    private func place(after index: Int) -> Int {
        index + 1 == placeCount ? 0 : index + 1
    }

    private func place(for key: SipHash.Value, now: UInt64) -> Place {
        var index = home(of: key)
        var expired: Int?
        let entries = self.entries.span
        while !entries[index].isFree {
            if entries[index].expiresAt < now {
                if expired == nil { expired = index }
            } else if entries[index].key == key {
                return .known
            }
            index = index + 1 == placeCount ? 0 : index + 1
        }
        if let expired { return .expired(expired) }
        return .free(index)
    }

    private mutating func take(_ index: Int, _ entry: Entry) {
        entries[index] = entry
        occupied += 1
        owners.add(entry.owner)
        earliest = min(earliest, entry.expiresAt)
    }

    private mutating func forget(_ entry: Entry) {
        forgotten = max(forgotten, entry.expiresAt)
        owners.remove(entry.owner)
        occupied -= 1
    }

    // MARK: Room

    /// Sweeps, and grows where that did not help much; whether there is room now.
    private mutating func makeRoom(now: UInt64) -> Bool {
        sweep(now: now)
        if occupied >= room / 4 * 3, placeCount < mostPlaces { grow() }
        return occupied < room
    }

    private mutating func grow() {
        let old = entries
        placeCount = min(old.count * 2, mostPlaces)
        entries = Array(repeating: .vacancy, count: placeCount)
        for entry in old where !entry.isFree {
            var index = home(of: entry.key)
            while !entries[index].isFree { index = place(after: index) }
            entries[index] = entry
        }
    }

    /// Removes all that has expired; whether there was anything.
    ///
    /// It goes backwards, so that what is moved into a gap has been looked at before, but for a run around the end.
    @discardableResult
    private mutating func sweep(now: UInt64) -> Bool {
        guard earliest < now else { return false }
        let before = occupied
        for index in entries.indices.reversed() {
            while !entries[index].isFree, entries[index].expiresAt < now { remove(at: index) }
        }
        earliest = .max
        for entry in entries where !entry.isFree { earliest = min(earliest, entry.expiresAt) }
        return occupied < before
    }

    /// Removes an entry and moves up those behind it that a search would no longer reach.
    private mutating func remove(at index: Int) {
        forget(entries[index])
        var gap = index
        var next = place(after: index)
        while !entries[next].isFree {
            if distance(from: home(of: entries[next].key), to: next) >= distance(from: gap, to: next) {
                entries[gap] = entries[next]
                gap = next
            }
            next = place(after: next)
        }
        entries[gap] = .vacancy
    }

    private func distance(from start: Int, to end: Int) -> Int {
        end >= start ? end - start : end + placeCount - start
    }
}

/// How many entries each owner has: exact, or more for an owner that meets others in both of its counts.
///
/// An owner has two of the 32 counts of a cache line, and the smaller is its number.
private struct OwnerCounts: Sendable {
    private static let lines = 64

    private var counts = [UInt16](repeating: 0, count: 32 * lines)

    var byteCount: Int { counts.count * MemoryLayout<UInt16>.stride }

    private static func places(of owner: UInt32) -> (Int, Int) {
        let line = Int(owner % UInt32(lines)) * 32
        return (line + Int(owner >> 8 & 15), line + 16 + Int(owner >> 12 & 15))
    }

    func count(of owner: UInt32) -> Int {
        let places = Self.places(of: owner)
        return Int(min(counts[places.0], counts[places.1]))
    }

    mutating func add(_ owner: UInt32) {
        let places = Self.places(of: owner)
        counts[places.0] += 1
        counts[places.1] += 1
    }

    mutating func remove(_ owner: UInt32) {
        let places = Self.places(of: owner)
        counts[places.0] -= 1
        counts[places.1] -= 1
    }
}
