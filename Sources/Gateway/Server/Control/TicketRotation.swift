import Reactor
import TLS

/// The keys of session tickets, new every hour: who steals them learns how at most two hours of sessions could be resumed.
struct TicketRotation {
    /// The keys now, and those before them.
    private(set) var keys: TicketKeys
    /// When they are next replaced, in monotonic nanoseconds.
    private(set) var due: Int64
    private static let period: Int64 = 3_600_000_000_000

    init(now: Int64) {
        keys = TicketKeys(entropy: Entropy.bytes(TicketKeys.entropyByteCount))
        due = now + Self.period
    }

    /// Replaces the keys if it is time, and returns the new ones then.
    mutating func rotate(now: Int64) -> TicketKeys? {
        guard now >= due else { return nil }
        keys = keys.rotated(entropy: Entropy.bytes(TicketKeys.entropyByteCount))
        due = now + Self.period
        return keys
    }
}
