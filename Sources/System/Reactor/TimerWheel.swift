/// Deadlines in buckets of about 16 ms: setting one and finding those that are due costs no search.
///
/// An entry is a key and a time. It cannot be cancelled: whoever is told that it is due compares with the deadline that
/// holds now (a connection moves its deadline by a store, not by a call). Times are nanoseconds of the monotonic clock.
public struct TimerWheel {
    /// A key and when it is due.
    public struct Entry: Equatable, Sendable {
        /// What was scheduled.
        public let key: SlotKey
        /// The time that it was scheduled for.
        public let time: Int64
    }

    private static let bucketCount = 512
    /// 2^24 ns, about 16.8 ms.
    private static let shift: Int64 = 24

    private var buckets: [[Entry]]
    private var occupied: [UInt64]
    /// The tick up to which everything has been looked at.
    private var tick: Int64

    /// Makes an empty wheel that starts at `now`.
    public init(now: Int64) {
        buckets = Array(repeating: [], count: Self.bucketCount)
        occupied = Array(repeating: 0, count: Self.bucketCount / 64)
        tick = now >> Self.shift
    }

    /// Sets `key` to be due at `time`: it is reported in the first ``advance(to:into:)`` after it, never before.
    public mutating func schedule(_ key: SlotKey, at time: Int64) {
        // Rounded up, so that it is not reported early; at most one turn of the wheel ahead, looked at again there.
        let due = (time >> Self.shift) + 1
        let bounded = max(tick + 1, min(due, tick + Int64(Self.bucketCount) - 1))
        let index = Int(bounded % Int64(Self.bucketCount))
        buckets[index].append(Entry(key: key, time: time))
        occupied[index / 64] |= 1 << UInt64(index % 64)
    }

    /// Moves to `now` and appends the entries that are due.
    public mutating func advance(to now: Int64, into due: inout [Entry]) {
        let target = now >> Self.shift
        guard target > tick else { return }
        let last = min(target, tick + Int64(Self.bucketCount))
        var later: [Entry] = []
        while tick < last {
            tick += 1
            let index = Int(tick % Int64(Self.bucketCount))
            guard occupied[index / 64] & (1 << UInt64(index % 64)) != 0 else { continue }
            occupied[index / 64] &= ~(1 << UInt64(index % 64))
            for entry in buckets[index] {
                if entry.time <= now { due.append(entry) } else { later.append(entry) }
            }
            buckets[index].removeAll(keepingCapacity: true)
        }
        tick = target
        for entry in later { schedule(entry.key, at: entry.time) }
    }

    /// Nanoseconds from `now` until something may be due, or nothing where the wheel is empty.
    public func delay(from now: Int64) -> Int64? {
        let count = Int64(Self.bucketCount)
        var step: Int64 = 1
        while step <= count {
            let index = Int((tick + step) % count)
            // The rest of the word, from this bucket on.
            let rest = occupied[index / 64] >> UInt64(index % 64)
            if rest != 0 {
                let found = step + Int64(rest.trailingZeroBitCount)
                return max(0, ((tick + found) << Self.shift) - now)
            }
            step += Int64(64 - index % 64)
        }
        return nil
    }
}
