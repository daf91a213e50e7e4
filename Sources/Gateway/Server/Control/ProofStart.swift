import Bytes
import Configuration
import Policy
import Possession
import Reactor

/// The moment from which on proofs of possession are believed: an earlier process may have seen those from before the start.
///
/// Proofs tell their time in whole seconds. One of the very second of the start could be from before it or after: so where an
/// earlier process ran lately, and only proofs tell their age, the gateway begins to listen with the next second. A nonce tells
/// it better: then nobody waits.
struct ProofStart {
    /// Proofs from before are refused.
    let moment: UnixTime
    /// Proofs that end before and do not say when they were made are refused; nothing: an earlier process saw none of them.
    let mistrustsExpiryUntil: UnixTime?
    /// When the gateway may begin to listen.
    private let opening: UnixTime
    private let waits: Bool

    private static let second: Int64 = 1_000_000_000
    /// The longest time for which any configuration lets a proof be used.
    private static let longestWindow = Interval.seconds(600)

    /// Looks back.
    ///
    /// - Parameters:
    ///   - takesDPoP: whether a route takes DPoP proofs.
    ///   - takesWorkloadProofs: whether a route takes Workload Proof Tokens, which have no nonce.
    ///   - possession: what is demanded of them.
    ///   - earlier: when an earlier process last wrote to the log, if one did.
    ///   - mark: the latest time that an earlier process accepted a proof of.
    ///   - now: the time.
    init(
        takesDPoP: Bool, takesWorkloadProofs: Bool, possession: PossessionConfiguration, earlier: UnixTime?,
        mark: UnixTime, now: UnixTime
    ) {
        let wasLately = earlier.map { now - $0 < Self.longestWindow } ?? false
        waits = wasLately && (takesWorkloadProofs || takesDPoP && !possession.requiresNonce)
        let begun = now.nanoseconds / Self.second * Self.second
        opening = UnixTime(nanoseconds: waits && begun < now.nanoseconds ? begun + Self.second : begun)
        // Nobody waits for a clock that is ahead: its proofs are refused until the time has come.
        moment = max(opening, mark + Interval(nanoseconds: 1))
        let policy = possession.workloadProof
        mistrustsExpiryUntil = wasLately ? now + policy.maximumLifetime + policy.futureSkew : nil
    }

    /// Waits until the moment has come: less than a second.
    func wait() {
        guard waits, let pause = try? Wakeup() else { return }
        while Clock.civil() < opening.nanoseconds {
            pause.wait(timeout: CInt((opening.nanoseconds - Clock.civil()) / 1_000_000 + 1))
        }
    }
}
