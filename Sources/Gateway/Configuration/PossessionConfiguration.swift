import Bytes
import Cryptography
public import Possession

/// What is demanded of the proofs of possession that requests carry.
public struct PossessionConfiguration: Equatable, Sendable {
    /// What a DPoP proof must be like.
    public var dpop: DPoPPolicy
    /// Whether a DPoP proof must repeat a nonce of this node (RFC 9449 §9).
    public var requiresNonce: Bool
    /// What a Workload Proof Token must be like.
    public var workloadProof: WPTPolicy
    /// How many proofs that could still be used again are remembered.
    public var replayCapacity: Int

    /// What holds where nothing is written.
    public static let standard = PossessionConfiguration(
        dpop: DPoPPolicy(
            algorithms: [.es256, .ed25519, .edDSA, .ps256, .rs256], acceptWindow: .seconds(60), futureSkew: .seconds(10)
        ),
        requiresNonce: false,
        workloadProof: WPTPolicy(maximumLifetime: .seconds(300), futureSkew: .seconds(10)), replayCapacity: 1_000_000)
}
