public import Bytes
public import Possession

/// What the workers of one process share about proofs: which were used, and the secret that nonces are made with.
public final class ProofMemory: Sendable {
    /// The proofs that were used and could be used again.
    public let replay: ReplayTable
    let nonceKey: [UInt8]

    /// Begins with nothing.
    ///
    /// - Parameters:
    ///   - capacity: how many proofs it must be able to remember.
    ///   - secret: 48 random bytes, new with every start and never told.
    ///   - start: proofs from before are refused.
    ///   - marks: what an earlier process left, and what the next one must know.
    public init(capacity: Int, secret: [UInt8], start: UnixTime, marks: ReplayMarks = .none) {
        precondition(secret.count == 48, "16 bytes for the table, 32 for nonces")
        replay = ReplayTable(
            capacity: capacity, key: Array(secret[..<16]), refusesBefore: start, marks: marks)
        nonceKey = Array(secret[16...])
    }
}
