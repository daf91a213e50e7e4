public import Bytes

/// Evidence that the proofs of a request were used for the first time by it, and are used up now.
///
/// Only ``ReplayTable/consume(_:now:)`` makes one.
public struct ProofNovelty: ~Copyable {
    fileprivate init() {}
}

/// Why a proof that is valid in itself is not accepted.
public enum ReplayRefusal: Error, Equatable, Sendable {
    /// It was made before this process remembers.
    case beforeStart
    /// No more proofs can be remembered.
    case full
    /// No more proofs of its key can be remembered.
    case overShare
    /// It was used before.
    case replayed

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .beforeStart: "replay.before-start"
        case .full: "replay.full"
        case .overShare: "replay.share"
        case .replayed: "replay.used"
        }
    }

    /// Whether the client can do nothing about it now.
    public var isOverload: Bool { self == .full || self == .overShare }
}

/// Why the proofs of a request could not be used up, and which of them.
public struct ConsumptionFailure: Error, Equatable, Sendable {
    /// What is wrong with it.
    public let refusal: ReplayRefusal
    /// Whether it is the Workload Proof Token, not the DPoP proof.
    public let isWorkloadProof: Bool
}

extension ReplayTable {
    /// Uses up the proofs of a request: to be called last, so that a call refused for another reason uses up nothing.
    public func consume(
        _ possession: borrowing VerifiedPossession, now: UnixTime
    ) throws(ConsumptionFailure) -> ProofNovelty {
        switch possession.workloadProof {
        case .some(let proof): try Self.check(insert(workload: proof, now: now), isWorkloadProof: true)
        case .none: break
        }
        switch possession.proof {
        case .some(let proof): try Self.check(insert(proof, now: now), isWorkloadProof: false)
        case .none: break
        }
        return ProofNovelty()
    }

    private static func check(_ outcome: ReplayOutcome, isWorkloadProof: Bool) throws(ConsumptionFailure) {
        let refusal: ReplayRefusal
        switch outcome {
        case .inserted: return
        case .beyondMemory: refusal = .beforeStart
        case .full: refusal = .full
        case .overShare: refusal = .overShare
        case .replayed: refusal = .replayed
        }
        throw ConsumptionFailure(refusal: refusal, isWorkloadProof: isWorkloadProof)
    }
}
