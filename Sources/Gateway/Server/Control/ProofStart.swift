import Bytes
import Configuration
import Reactor

/// The moment from which on proofs of possession are believed: none from before the start, which an earlier process may have seen.
///
/// Proofs tell their time in whole seconds. One of the very second of the start could be from before it or after: so where proofs
/// alone tell their age, the gateway begins to listen with the next second. A nonce tells it better: then nobody waits.
struct ProofStart {
    /// Proofs from before are refused.
    let moment: UnixTime
    private let waits: Bool

    private static let second: Int64 = 1_000_000_000

    init(_ configuration: GatewayConfiguration, now: UnixTime) {
        let proofsCount = configuration.routes.contains { !$0.accepted.isDisjoint(with: [.dpop, .wpt]) }
        waits = proofsCount && !configuration.possession.requiresNonce
        let begun = now.nanoseconds / Self.second * Self.second
        moment = UnixTime(nanoseconds: waits && begun < now.nanoseconds ? begun + Self.second : begun)
    }

    /// Waits until the moment has come: less than a second.
    func await() {
        guard waits, let pause = try? Wakeup() else { return }
        while Clock.civil() < moment.nanoseconds {
            pause.wait(timeout: CInt((moment.nanoseconds - Clock.civil()) / 1_000_000 + 1))
        }
    }
}
