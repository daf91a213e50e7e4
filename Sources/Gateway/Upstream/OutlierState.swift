import Bytes
import Configuration

/// What failures have done to one endpoint: how many came in a row, and how long it is left out for them.
struct OutlierState: Sendable {
    /// Failures since the last success.
    private(set) var failures = 0
    /// When the present or last ejection ends.
    private(set) var ejectedUntil: MonotonicTime?
    /// How many times the basic length the last ejection had.
    private var multiplier: Int64 = 0

    /// The longest ejection, where the basic length is not longer.
    static let longest = Interval.seconds(300)
    /// An endpoint that stays in for so long is forgiven one earlier ejection.
    static let forgiveness = Interval.seconds(10)

    func isEjected(now: MonotonicTime) -> Bool {
        ejectedUntil.map { now < $0 } ?? false
    }

    mutating func succeeded() {
        failures = 0
    }

    /// Counts a failure.
    ///
    /// - Returns: whether it is the one too many. The count stays until ``eject(for:now:)``, so that an endpoint that
    ///   could not be ejected because others were is ejected by the first failure after their return.
    mutating func failed(limit: Int) -> Bool {
        failures = min(failures + 1, limit)
        return failures == limit
    }

    /// Takes the endpoint out: longer each time, unless it stood well in between.
    mutating func eject(for base: Interval, now: MonotonicTime) {
        if let returned = ejectedUntil {
            multiplier = max(0, multiplier - (now - returned).nanoseconds / Self.forgiveness.nanoseconds)
        }
        multiplier += 1
        let (length, overflow) = base.nanoseconds.multipliedReportingOverflow(by: multiplier)
        let longest = max(base, Self.longest).nanoseconds
        ejectedUntil = now + Interval(nanoseconds: overflow ? longest : min(length, longest))
        failures = 0
    }
}
