/// A moment of civil time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// It is what tokens and certificates are compared with. Nothing below the Gateway floor reads a clock: it is given one.
public struct UnixTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the epoch.
    public let nanoseconds: Int64

    /// Makes the moment that many nanoseconds after the epoch.
    @inlinable public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Makes the moment that many seconds after the epoch, held at the ends of the range (years 1677 and 2262).
    @inlinable public init(seconds: Int64) {
        let limit = Int64.max / 1_000_000_000
        nanoseconds = max(-limit, min(limit, seconds)) * 1_000_000_000
    }

    /// Whole seconds since the epoch, rounded down.
    @inlinable public var seconds: Int64 {
        let quotient = nanoseconds / 1_000_000_000
        return nanoseconds % 1_000_000_000 < 0 ? quotient - 1 : quotient
    }

    /// Earlier is less.
    @inlinable public static func < (left: UnixTime, right: UnixTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment `interval` later, held at the end of the range.
    @inlinable public static func + (time: UnixTime, interval: Interval) -> UnixTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return UnixTime(nanoseconds: overflow ? (interval.nanoseconds > 0 ? .max : .min) : sum)
    }

    /// The moment `interval` earlier, held at the end of the range.
    @inlinable public static func - (time: UnixTime, interval: Interval) -> UnixTime {
        let (difference, overflow) = time.nanoseconds.subtractingReportingOverflow(interval.nanoseconds)
        return UnixTime(nanoseconds: overflow ? (interval.nanoseconds > 0 ? .min : .max) : difference)
    }

    /// The time from `right` to `left`.
    @inlinable public static func - (left: UnixTime, right: UnixTime) -> Interval {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? (left > right ? .max : .min) : difference)
    }
}

/// A moment of the clock that never goes back: what timeouts are measured with.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since some fixed moment.
    public let nanoseconds: Int64

    /// Makes the moment that many nanoseconds after the clock's origin.
    @inlinable public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Earlier is less.
    @inlinable public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The moment `interval` later.
    @inlinable public static func + (time: MonotonicTime, interval: Interval) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(interval.nanoseconds)
        return MonotonicTime(nanoseconds: overflow ? .max : sum)
    }

    /// The time from `right` to `left`.
    @inlinable public static func - (left: MonotonicTime, right: MonotonicTime) -> Interval {
        Interval(nanoseconds: left.nanoseconds - right.nanoseconds)
    }
}

/// A length of time in nanoseconds.
public struct Interval: Hashable, Comparable, Sendable {
    /// The length in nanoseconds.
    public let nanoseconds: Int64

    /// Makes a length of that many nanoseconds.
    @inlinable public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// No time at all.
    public static let zero = Interval(nanoseconds: 0)

    /// Makes a length of whole seconds, held at the end of the range.
    @inlinable public static func seconds(_ seconds: Int64) -> Interval {
        let limit = Int64.max / 1_000_000_000
        return Interval(nanoseconds: max(-limit, min(limit, seconds)) * 1_000_000_000)
    }

    /// Makes a length of whole milliseconds, held at the end of the range.
    @inlinable public static func milliseconds(_ milliseconds: Int64) -> Interval {
        let limit = Int64.max / 1_000_000
        return Interval(nanoseconds: max(-limit, min(limit, milliseconds)) * 1_000_000)
    }

    /// Whole seconds, rounded towards zero.
    @inlinable public var seconds: Int64 { nanoseconds / 1_000_000_000 }

    /// Shorter is less.
    @inlinable public static func < (left: Interval, right: Interval) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}
