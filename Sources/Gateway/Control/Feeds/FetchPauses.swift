import Bytes

/// The pauses after failures: a second, two, four, and so on to a minute.
struct FetchPauses: Sendable {
    static let first = Interval.seconds(1)
    static let longest = Interval.seconds(60)

    /// The failures since the last success.
    private(set) var failures = 0

    /// The pause after one more failure.
    mutating func next(atMost limit: Interval = longest) -> Interval {
        let doublings = min(failures, 16)
        failures += 1
        return min(Self.longest, limit, Interval(nanoseconds: Self.first.nanoseconds << doublings))
    }

    /// There was a success.
    mutating func end() {
        failures = 0
    }
}
