import Bytes
import Configuration

/// What a gateway that was told to stop does when: times are monotonic nanoseconds.
struct DrainSchedule {
    /// One thing to do.
    enum Step: Equatable {
        /// Take no more connections, and ask clients to send no more requests (RFC 9113 §6.8: twice).
        case drain
        /// Cut off what is left.
        case stop
    }

    private var steps: [(time: Int64, step: Step)]

    /// Begins: from now on `/readyz` says so.
    init(now: Int64, timeouts: Timeouts) {
        let start = now + timeouts.drainNotice.nanoseconds
        let end = start + timeouts.drain.nanoseconds
        // HTTP/2 clients have a second, which is more than a round trip, to hear of the first notice.
        steps = [(start, .drain), (min(start + 1_000_000_000, end), .drain), (end, .stop)]
    }

    /// When the next step is due.
    var next: Int64? { steps.first?.time }

    /// Takes the next step out, if it is due.
    mutating func take(now: Int64) -> Step? {
        guard let first = steps.first, first.time <= now else { return nil }
        return steps.removeFirst().step
    }
}
