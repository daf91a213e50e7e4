public import Bytes

/// How long ago something was heard, and whether that is too long.
public struct FeedClock: Equatable, Sendable {
    /// A change that operators want to know of.
    public enum Change: Equatable, Sendable {
        /// It was silent for too long.
        case stale
        /// It is heard again.
        case recovered
    }

    /// How long it may be silent; nothing: for ever.
    public private(set) var staleness: Interval?
    private let startedAt: MonotonicTime
    private var heardAt: FeedMoment?
    private var isInterrupted = false
    /// What ``change(at:)`` has told last.
    private var isKnownStale = false

    /// Starts without having heard anything.
    ///
    /// - Parameters:
    ///   - staleness: how long it may be silent; nothing: for ever, even if it was never heard.
    ///   - now: the present.
    public init(staleness: Interval?, now: MonotonicTime) {
        self.staleness = staleness
        startedAt = now
    }

    // MARK: Facts

    /// Whether it was silent for too long, was never heard, or says itself that it is interrupted.
    public func isStale(at now: MonotonicTime) -> Bool {
        if isInterrupted { return true }
        guard let staleness else { return false }
        guard let heardAt else { return true }
        return now >= heardAt.monotonic + staleness
    }

    /// Whether it is stale although it had its time: what was never heard has some before that is worth telling anybody.
    public func isOverdue(at now: MonotonicTime) -> Bool {
        guard isStale(at: now) else { return false }
        guard heardAt == nil, !isInterrupted, let staleness else { return true }
        return now >= startedAt + staleness
    }

    /// Until when what was heard counts, by the civil clock; nothing where it does not count now.
    public func freshUntil(at now: MonotonicTime) -> UnixTime? {
        guard !isStale(at: now) else { return nil }
        guard let staleness, let heardAt else { return UnixTime(nanoseconds: .max) }
        return heardAt.civil + staleness
    }

    /// How long ago it was heard; nothing where it never was.
    public func age(at now: MonotonicTime) -> Interval? { heardAt.map { now - $0.monotonic } }

    /// When it becomes stale, unless it is heard before; nothing where that is told already, or never happens.
    public var nextEvent: MonotonicTime? {
        guard !isKnownStale, let staleness else { return nil }
        return (heardAt?.monotonic ?? startedAt) + staleness
    }

    // MARK: Inputs

    /// Takes another limit over.
    public mutating func adopt(staleness: Interval?) {
        self.staleness = staleness
    }

    /// It was heard, now or at an earlier moment; one before that of which it was heard already says nothing.
    public mutating func heard(at moment: FeedMoment) {
        if let heardAt, moment.monotonic < heardAt.monotonic { return }
        heardAt = moment
    }

    /// It says that it will be silent, or that it will not be any more.
    public mutating func interrupt(_ isInterrupted: Bool) {
        self.isInterrupted = isInterrupted
    }

    /// What has changed for operators since the last call: each change is told once.
    ///
    /// What was never heard has its time before that is worth an alarm.
    public mutating func change(at now: MonotonicTime) -> Change? {
        let isStale = isStale(at: now)
        guard isStale != isKnownStale else { return nil }
        if isStale, !isOverdue(at: now) { return nil }
        isKnownStale = isStale
        return isStale ? .stale : .recovered
    }
}
