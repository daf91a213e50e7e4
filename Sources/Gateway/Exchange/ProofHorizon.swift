public import Bytes
public import Configuration
import Possession

/// Which proofs are too old to be told from used ones, beside those that the possession settings refuse.
///
/// A proof is remembered for as long as the settings of its time let it be used. Where a reload lets proofs be used longer, those
/// that were forgotten by then must stay refused.
public struct ProofHorizon: Equatable, Sendable {
    /// DPoP proofs made before are refused.
    public private(set) var madeSince: UnixTime
    /// Workload proofs that end before are refused.
    public private(set) var endsSince: UnixTime

    /// Refuses nothing.
    public static let none = ProofHorizon(madeSince: UnixTime(nanoseconds: 0), endsSince: UnixTime(nanoseconds: 0))

    /// Moves on for a change of settings at `now`.
    public mutating func advance(
        from settings: PossessionConfiguration, to fresh: PossessionConfiguration, at now: UnixTime
    ) {
        if fresh.dpop.acceptWindow > settings.dpop.acceptWindow {
            madeSince = max(madeSince, now - settings.dpop.acceptWindow)
        }
        if fresh.workloadProof.futureSkew > settings.workloadProof.futureSkew {
            endsSince = max(endsSince, now - settings.workloadProof.futureSkew)
        }
    }
}
