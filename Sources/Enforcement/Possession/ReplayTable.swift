public import Bytes

/// What became of a proof that was shown to a ``ReplayTable``.
public enum ReplayOutcome: Equatable, Sendable {
    /// It is from before the table began, or of a time that it has forgotten: nobody can say that it was not used.
    case beyondMemory
    /// Too many proofs are remembered: it may not be accepted, for it could not be refused the next time.
    case full
    /// It is new and is now remembered: only now may the call go on.
    case inserted
    /// Its key has so many proofs remembered that others would suffer.
    case overShare
    /// It was used before.
    case replayed
}

/// The proofs that were used and could still be used again: one for all workers (RFC 9449 §11.1).
///
/// A proof is remembered as a keyed hash of 128 bits until the last millisecond in which it would be accepted; before that
/// nothing makes the table forget it. Of workers that insert one proof at once, exactly one is told that it was new.
///
/// - **Capacity.** The table holds at least `capacity` live proofs; then it is full, and says so. It is divided into shards of some
///   thousand proofs, each with a lock and room for six standard deviations more than its part, so that chance fills none early.
/// - **Memory.** 24 bytes a place, five places for three proofs, and 4 KiB a shard: under 48 bytes a proof, a million in 43 MiB.
///   Shards begin small and double, so that a table that is hardly used takes a megabyte or two.
/// - **Share.** A key may hold a sixteenth of the table, so one that floods fills no more than that. Each key
///   has two counts, chosen by a keyed hash, of which the smaller holds: never too low, and too high only for a key that meets, in
///   both, one that floods.
/// - **Reclaiming.** An expired proof's place is taken by the next proof that passes it. A shard is swept as a whole, in
///   some microseconds, only where it would otherwise grow or refuse something, and only if anything in it has expired.
public final class ReplayTable: Sendable {
    /// The number of live proofs that it can hold at least.
    public let capacity: Int
    /// Proofs that were made before this moment are not accepted: an earlier table, now gone, may have known them.
    public let refusesBefore: UnixTime

    private let marks: ReplayMarks
    private let hash: SipHash
    private let secret: (UInt64, UInt64)
    private let shards: LockedShards
    private let mask: UInt64

    /// Makes an empty table.
    ///
    /// - Parameters:
    ///   - capacity: how many live proofs it must be able to hold.
    ///   - share: how many of them may be of one key; nothing: a sixteenth, but in small tables up to 64.
    ///   - key: 16 random bytes, new with every start and never told.
    ///   - refusesBefore: the moment of the start.
    ///   - marks: what the next table must know, and what an earlier one left.
    public init(
        capacity: Int, share: Int? = nil, key: [UInt8], refusesBefore: UnixTime, marks: ReplayMarks = .none
    ) {
        precondition(capacity > 0 && key.count == 16, "no room, or no secret")
        self.capacity = capacity
        self.refusesBefore = refusesBefore
        self.marks = marks
        secret = (Self.word(key[0..<8]), Self.word(key[8..<16]))
        hash = SipHash(key: secret)
        var count = 1
        while capacity / (count * 2) >= 2048 { count *= 2 }
        mask = UInt64(count) - 1
        let limit = Self.part(of: capacity, count: count)
        let ownerLimit = Self.part(of: share ?? max(capacity / 16, min(capacity, 64)), count: count)
        shards = LockedShards(count: count, limit: limit, share: ownerLimit)
    }

    /// Remembers a proof, unless it is known, in one step.
    ///
    /// To be called last, when nothing but the proof's novelty is in doubt: so a call that is refused uses up nothing.
    ///
    /// - Parameters:
    ///   - proof: what tells it from others, such as ``VerifiedProof/identifier``.
    ///   - owner: who is answerable for it: the thumbprint of its key.
    ///   - issuedAt: when it was made, by its own account.
    ///   - expiresAt: the last moment at which it would be accepted.
    ///   - now: the time.
    public func insert(
        _ proof: Digest256, owner: Digest256, issuedAt: UnixTime, expiresAt: UnixTime, now: UnixTime
    ) -> ReplayOutcome {
        guard issuedAt >= refusesBefore, expiresAt >= now, expiresAt >= issuedAt else { return .beyondMemory }
        if issuedAt > now, !marks.keepDatedAhead(issuedAt.roundedUpToSecond) { return .full }
        let key = hash(proof)
        let owner = mixed(owner)
        // What is left of a millisecond belongs to it: rounded up, and the present down.
        let lastMoment = milliseconds(at: expiresAt + Interval(nanoseconds: 999_999))
        let moment = milliseconds(at: now)
        return shards.withLock(on: Int(truncatingIfNeeded: key.second & mask)) { shard in
            shard.insert(key, owner: owner, expiresAt: lastMoment, now: moment)
        }
    }

    /// Remembers a DPoP proof, unless it is known, in one step.
    public func insert(_ proof: borrowing VerifiedProof, now: UnixTime) -> ReplayOutcome {
        insert(
            proof.identifier, owner: proof.keyThumbprint, issuedAt: proof.issuedAt, expiresAt: proof.expiresAt,
            now: now)
    }

    /// Remembers a Workload Proof Token, unless it is known, in one step.
    ///
    /// One that does not say when it was made is beyond memory where an earlier table may have known it.
    public func insert(workload proof: borrowing VerifiedWorkloadProof, now: UnixTime) -> ReplayOutcome {
        if proof.issuedAt == nil {
            guard proof.endsAt > marks.undatedUntil else { return .beyondMemory }
            guard marks.keepUndated(proof.endsAt.roundedUpToSecond) else { return .full }
        }
        return insert(
            proof.identifier, owner: proof.keyThumbprint, issuedAt: proof.issuedAt ?? max(now, refusesBefore),
            expiresAt: proof.expiresAt, now: now)
    }

    /// The number of proofs that it holds, with those that have expired but whose place nobody needed yet.
    public var count: Int {
        (0..<shards.count).reduce(0) { sum, index in sum + shards.withLock(on: index) { $0.occupied } }
    }

    /// The number of bytes that it takes at the moment.
    public var byteCount: Int {
        (0..<shards.count).reduce(0) { sum, index in sum + shards.withLock(on: index) { $0.byteCount } }
    }

    /// Half a thumbprint, mixed with the secret: enough to tell whose share it is, and cheaper than a hash.
    private func mixed(_ owner: Digest256) -> UInt32 {
        let words = owner.words
        let product = (words.0 ^ secret.0).multipliedFullWidth(by: words.1 ^ secret.1)
        return UInt32(truncatingIfNeeded: (product.high ^ product.low) >> 32)
    }

    /// Milliseconds since the beginning, of which the first is 1.
    private func milliseconds(at time: UnixTime) -> UInt64 {
        guard time > refusesBefore else { return 1 }
        return UInt64((time - refusesBefore).nanoseconds) / 1_000_000 + 1
    }

    /// A shard's part of a number, with six standard deviations to spare: hashes spread evenly, but not exactly.
    private static func part(of total: Int, count: Int) -> Int {
        guard count > 1 else { return total }
        let mean = Double(total) / Double(count)
        return Int((mean + 6 * mean.squareRoot()).rounded(.up))
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
