import Bytes
import Cryptography
import Possession

/// Reads the section `possession`.
enum PossessionSection {
    private enum NonceDemand: String, CaseIterable { case off, required }
    private enum Store: String, CaseIterable { case memory, redis }

    /// RFC 9449 §11.1: seconds to minutes.
    private static let windows = Interval.seconds(1)...Interval.seconds(600)
    private static let skews = Interval.zero...Interval.seconds(300)
    /// A hundred million take 4 GiB.
    private static let capacities = 1...100_000_000

    static func read(_ reader: DocumentReader?) -> PossessionConfiguration {
        var configuration = PossessionConfiguration.standard
        guard let section = reader?.section(["dpop", "wpt", "replay"]) else { return configuration }
        readProofs(section.optional("dpop"), into: &configuration)
        if let proofs = section.optional("wpt")?.section(["maximum_lifetime", "future_skew"]) {
            let standard = configuration.workloadProof
            configuration.workloadProof = WPTPolicy(
                maximumLifetime: proofs.optional("maximum_lifetime")?.duration(in: windows) ?? standard.maximumLifetime,
                futureSkew: proofs.optional("future_skew")?.duration(in: skews) ?? standard.futureSkew)
        }
        if let replay = section.optional("replay")?.section(["capacity", "store"]) {
            configuration.replayCapacity =
                replay.optional("capacity")?.number(in: capacities) ?? configuration.replayCapacity
            // Only memory is left of the choice until the other is built.
            _ = replay.optional("store")?.choice(Store.self)
        }
        return configuration
    }

    private static func readProofs(_ reader: DocumentReader?, into configuration: inout PossessionConfiguration) {
        guard let section = reader?.section(["nonce", "accept_window", "future_skew", "algorithms"]) else { return }
        let standard = configuration.dpop
        if let nonce = section.optional("nonce")?.choice(NonceDemand.self) {
            configuration.requiresNonce = nonce == .required
        }
        configuration.dpop = DPoPPolicy(
            algorithms: section.optional("algorithms")?
                .distinct(atLeastOne: "algorithm") { $0.choice(SignatureAlgorithm.self) } ?? standard.algorithms,
            acceptWindow: section.optional("accept_window")?.duration(in: windows) ?? standard.acceptWindow,
            futureSkew: section.optional("future_skew")?.duration(in: skews) ?? standard.futureSkew)
    }
}
