public import Bytes

/// What one replay table leaves for the next one, so that a restart forgets no proof.
public struct ReplayMarks: Sendable {
    /// The latest end of a proof that an earlier table accepted although it did not say when it was made: such proofs are
    /// refused up to it, for the earlier table, now gone, may have known them.
    public let undatedUntil: UnixTime
    /// Keeps the latest time of an accepted proof that was dated ahead of its present: it would seem to be made after a
    /// restart; says whether it is kept, and where not, the proof is not accepted.
    public let keepDatedAhead: @Sendable (UnixTime) -> Bool
    /// Keeps the latest end of an accepted proof that does not say when it was made, in the same way.
    public let keepUndated: @Sendable (UnixTime) -> Bool

    /// There was no earlier table, and there is no later one.
    public static let none = ReplayMarks(
        undatedUntil: UnixTime(nanoseconds: 0), keepDatedAhead: { _ in true }, keepUndated: { _ in true })

    /// Makes marks.
    public init(
        undatedUntil: UnixTime, keepDatedAhead: @escaping @Sendable (UnixTime) -> Bool,
        keepUndated: @escaping @Sendable (UnixTime) -> Bool
    ) {
        self.undatedUntil = undatedUntil
        self.keepDatedAhead = keepDatedAhead
        self.keepUndated = keepUndated
    }
}

extension UnixTime {
    /// The full second at or after it: so that marks move once a second at most.
    var roundedUpToSecond: UnixTime {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder > 0 ? UnixTime(seconds: quotient + 1) : self
    }
}
