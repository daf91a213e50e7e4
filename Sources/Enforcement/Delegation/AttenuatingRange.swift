/// The bounds between which a number must lie (draft-niyikiza-oauth-attenuating-agent-tokens-02 §3.4).
public struct AttenuatingRange: Equatable, Sendable {
    /// One of the two bounds.
    public struct Bound: Equatable, Sendable {
        /// The number.
        public let value: Double
        /// Whether the number itself lies within.
        public let isInclusive: Bool

        /// Makes a bound.
        public init(_ value: Double, isInclusive: Bool = true) {
            self.value = value
            self.isInclusive = isInclusive
        }
    }

    /// The lower bound; nothing: there is none.
    public let minimum: Bound?
    /// The upper bound; nothing: there is none.
    public let maximum: Bound?

    /// Makes a range.
    public init(minimum: Bound?, maximum: Bound?) {
        self.minimum = minimum
        self.maximum = maximum
    }

    /// Whether a number lies within.
    public func contains(_ number: Double) -> Bool {
        if let minimum {
            guard number > minimum.value || (minimum.isInclusive && number == minimum.value) else { return false }
        }
        if let maximum {
            guard number < maximum.value || (maximum.isInclusive && number == maximum.value) else { return false }
        }
        return true
    }

    /// Whether the bounds of `other` are as tight, each for itself.
    func covers(_ other: AttenuatingRange) -> Bool {
        if let minimum {
            guard let bound = other.minimum else { return false }
            guard bound.value > minimum.value || (bound.value == minimum.value && bound.isWithin(minimum)) else {
                return false
            }
        }
        if let maximum {
            guard let bound = other.maximum else { return false }
            guard bound.value < maximum.value || (bound.value == maximum.value && bound.isWithin(maximum)) else {
                return false
            }
        }
        return true
    }
}

extension AttenuatingRange.Bound {
    /// Whether it lets nothing in that `other`, of the same number, keeps out.
    fileprivate func isWithin(_ other: AttenuatingRange.Bound) -> Bool { other.isInclusive || !isInclusive }
}
