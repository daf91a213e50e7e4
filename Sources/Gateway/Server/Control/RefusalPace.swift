import Bytes

/// Keeps what strangers can cause at will out of the operator's way: one line a second, with how many there were.
struct RefusalPace {
    private static let pause = Interval.seconds(1)

    private var toldAt: MonotonicTime?
    private var count = 0

    /// Counts one; gives how many are to be told of now, if any are.
    mutating func note(at now: MonotonicTime) -> Int? {
        count += 1
        if let toldAt, now < toldAt + Self.pause { return nil }
        defer { count = 0 }
        toldAt = now
        return count
    }
}
