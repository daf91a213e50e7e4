import Identity

/// One of the parts of a ``RevocationSet``: a table of open addressing with linear probing.
///
/// A key stands at the place that its lower half and the secret spread name, or behind it with no gap between. At most three
/// quarters of the places are taken, so that every search ends.
struct RevocationShard: Sendable {
    // Two words a place, the key's halves; both zero: the place is free.
    private var words: [UInt64] = []
    private var taken = 0
    // The one key that looks like a free place.
    private var holdsZero = false

    private static let smallest = 4

    private var capacity: Int { words.count / 2 }

    /// Whether `key` is there.
    func contains(_ key: RevocationKey, spread: UInt64) -> Bool {
        guard taken > 0, key.high | key.low != 0 else { return holdsZero && key.high | key.low == 0 }
        return Self.find(key, in: words.span, from: home(of: key.low, spread)).isThere
    }

    /// Adds `key`; says whether it is new.
    mutating func insert(_ key: RevocationKey, spread: UInt64) -> Bool {
        guard key.high | key.low != 0 else {
            defer { holdsZero = true }
            return !holdsZero
        }
        if (taken + 1) * 4 > capacity * 3 { resize(to: max(Self.smallest, capacity * 2), spread: spread) }
        let (place, isThere) = Self.find(key, in: words.span, from: home(of: key.low, spread))
        guard !isThere else { return false }
        words[2 * place] = key.high
        words[2 * place + 1] = key.low
        taken += 1
        return true
    }

    /// Takes `key` away; says whether it was there.
    mutating func remove(_ key: RevocationKey, spread: UInt64) -> Bool {
        guard key.high | key.low != 0 else {
            defer { holdsZero = false }
            return holdsZero
        }
        guard taken > 0 else { return false }
        let (place, isThere) = Self.find(key, in: words.span, from: home(of: key.low, spread))
        guard isThere else { return false }
        closeGap(at: place, spread: spread)
        taken -= 1
        if capacity > Self.smallest, taken * 8 < capacity { resize(to: capacity / 2, spread: spread) }
        return true
    }

    /// Makes room for that many keys and for the unevenness of their distribution.
    mutating func reserveCapacity(_ count: Int, spread: UInt64) {
        var wanted = Self.smallest
        while count * 4 > wanted * 3 { wanted *= 2 }
        if wanted > capacity { resize(to: wanted, spread: spread) }
    }

    /// Where the search for a key with that lower half begins.
    private func home(of low: UInt64, _ spread: UInt64) -> Int {
        Int(truncatingIfNeeded: (low &* spread) >> UInt64(truncatingIfNeeded: capacity.leadingZeroBitCount + 1))
    }

    /// The place of `key`, or the free one that it would take.
    private static func find(
        _ key: RevocationKey, in words: Span<UInt64>, from home: Int
    ) -> (place: Int, isThere: Bool) {
        let mask = words.count / 2 - 1
        var place = home
        while true {
            let (high, low) = (words[2 * place], words[2 * place + 1])
            if low == key.low, high == key.high { return (place, true) }
            if high | low == 0 { return (place, false) }
            place = (place + 1) & mask
        }
    }

    /// Moves the keys behind a gap forward, as far as their homes allow (Knuth, volume 3, algorithm 6.4 R).
    private mutating func closeGap(at gap: Int, spread: UInt64) {
        let mask = capacity - 1
        var (gap, place) = (gap, gap)
        while true {
            place = (place + 1) & mask
            let (high, low) = (words[2 * place], words[2 * place + 1])
            guard high | low != 0 else { break }
            let distance = (place - home(of: low, spread)) & mask
            guard distance >= (place - gap) & mask else { continue }
            words[2 * gap] = high
            words[2 * gap + 1] = low
            gap = place
        }
        words[2 * gap] = 0
        words[2 * gap + 1] = 0
    }

    private mutating func resize(to places: Int, spread: UInt64) {
        let old = words
        words = [UInt64](repeating: 0, count: 2 * places)
        for place in 0..<old.count / 2 {
            let key = RevocationKey(high: old[2 * place], low: old[2 * place + 1])
            guard key.high | key.low != 0 else { continue }
            let free = Self.find(key, in: words.span, from: home(of: key.low, spread)).place
            words[2 * free] = key.high
            words[2 * free + 1] = key.low
        }
    }
}
