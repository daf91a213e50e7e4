public import Bytes

/// One moment by both clocks: what is measured goes by the one, what is compared with what others wrote by the other.
public struct FeedMoment: Equatable, Sendable {
    /// By the clock that never goes back.
    public let monotonic: MonotonicTime
    /// By the clock that tells the date.
    public let civil: UnixTime

    /// Makes a moment.
    public init(monotonic: MonotonicTime, civil: UnixTime) {
        self.monotonic = monotonic
        self.civil = civil
    }
}
