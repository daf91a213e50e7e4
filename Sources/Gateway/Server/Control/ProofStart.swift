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
    private let waits: Bool

    private static let second: Int64 = 1_000_000_000
    /// The longest time for which any configuration lets a proof be used.
    private static let longestWindow = Interval.seconds(600)

    /// Looks back.
    ///
    /// - Parameters:
    ///   - configuration: what the gateway starts with.
    ///   - earlier: when an earlier process last wrote to the log, if one did.
    ///   - now: the time.
    init(_ configuration: GatewayConfiguration, earlier: UnixTime?, now: UnixTime) {
        let wasLately = earlier.map { now - $0 < Self.longestWindow } ?? false
        let proofsCount = configuration.routes.contains { !$0.accepted.isDisjoint(with: [.dpop, .wpt]) }
        waits = wasLately && proofsCount && !configuration.possession.requiresNonce
        let begun = now.nanoseconds / Self.second * Self.second
        moment = UnixTime(nanoseconds: waits && begun < now.nanoseconds ? begun + Self.second : begun)
        let policy = configuration.possession.workloadProof
        mistrustsExpiryUntil = wasLately ? now + policy.maximumLifetime + policy.futureSkew : nil
    }

    /// Waits until the moment has come: less than a second.
    func await() {
        guard waits, let pause = try? Wakeup() else { return }
        while Clock.civil() < moment.nanoseconds {
            pause.wait(timeout: CInt((moment.nanoseconds - Clock.civil()) / 1_000_000 + 1))
        }
    }
}
