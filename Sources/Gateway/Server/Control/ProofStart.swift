import Bytes
import Reactor

/// The moment from which on proofs of possession are believed: an earlier process may have seen those from before the start.
///
/// Proofs tell their time in whole seconds. One of the very second of the start could be from before it or after: so where an
/// earlier process ran lately, the gateway begins to listen with the next second.
struct ProofStart {
    /// Proofs from before are refused.
    let moment: UnixTime
    /// When the gateway may begin to listen.
    private let opening: UnixTime

    private static let second: Int64 = 1_000_000_000
    /// How long after it was made a proof can be used at most, whatever was configured: a life and a skew.
    private static let longestLife = Interval.seconds(600 + 300)

    /// Looks back.
    ///
    /// - Parameters:
    ///   - earlier: when an earlier process last wrote to the log, if one did.
    ///   - mark: the latest time of a proof that an earlier process accepted although it was dated ahead.
    ///   - now: the time.
    init(earlier: UnixTime?, mark: UnixTime, now: UnixTime) {
        let wasLately = earlier.map { now - $0 < Self.longestLife } ?? false
        let begun = now.nanoseconds / Self.second * Self.second
        opening = UnixTime(nanoseconds: wasLately && begun < now.nanoseconds ? begun + Self.second : begun)
        // Nobody waits for a clock that is ahead: its proofs are refused until the time has come.
        moment = max(opening, mark + Interval(nanoseconds: 1))
    }

    /// Waits until the moment has come: less than a second.
    func wait() {
        guard let pause = try? Wakeup() else { return }
        while Clock.civil() < opening.nanoseconds {
            pause.wait(timeout: CInt((opening.nanoseconds - Clock.civil()) / 1_000_000 + 1))
        }
    }
}
