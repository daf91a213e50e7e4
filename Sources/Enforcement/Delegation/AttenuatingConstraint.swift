/// What an argument of a call must be (draft-niyikiza-oauth-attenuating-agent-tokens-02 §3.4).
public indirect enum AttenuatingConstraint: Equatable, Sendable {
    /// That value, a scalar.
    case exact(AttenuatingValue)
    /// A number between bounds.
    case range(AttenuatingRange)
    /// One of those values, of which there is one at least.
    case oneOf(Set<AttenuatingValue>)
    /// None of those values.
    case notOneOf(Set<AttenuatingValue>)
    /// An array in which all of those are.
    case contains(Set<AttenuatingValue>)
    /// An array in which nothing but those is.
    case subset(Set<AttenuatingValue>)
    /// Anything.
    case wildcard
    /// What satisfies each of those, of which there is one at least.
    case all([AttenuatingConstraint])
    /// What satisfies any of those, of which there is one at least.
    case any([AttenuatingConstraint])

    /// How deep constraints may lie in one another; one that holds none is 1 deep.
    static let maximumDepth = 32
}

extension AttenuatingConstraint {
    /// Whether a value satisfies it.
    public func accepts(_ value: AttenuatingValue) -> Bool {
        switch self {
        case .exact(let wanted): return value == wanted
        case .range(let range):
            guard case .number(let number) = value else { return false }
            return range.contains(number)
        case .oneOf(let values): return values.contains(value)
        // A number never equals a string: whoever excludes one from the other has meant something else.
        case .notOneOf(let values): return values.allSatisfy { $0 != value && $0.isOfKind(of: value) }
        case .contains(let required):
            guard case .list(let elements) = value else { return false }
            return required.isSubset(of: elements)
        case .subset(let allowed):
            guard case .list(let elements) = value else { return false }
            return elements.allSatisfy(allowed.contains)
        case .wildcard: return true
        case .all(let clauses): return clauses.allSatisfy { $0.accepts(value) }
        case .any(let clauses): return clauses.contains { $0.accepts(value) }
        }
    }

    /// Whether it shows by its form that every value satisfies it.
    public var acceptsEverything: Bool {
        switch self {
        case .wildcard: true
        case .notOneOf(let values): values.isEmpty
        case .all(let clauses): clauses.allSatisfy(\.acceptsEverything)
        case .any(let clauses): clauses.contains(where: \.acceptsEverything)
        case .exact, .range, .oneOf, .contains, .subset: false
        }
    }
}

extension AttenuatingConstraint {
    /// Whether whatever satisfies `other` satisfies this one too, as far as their forms show it (§4.5).
    ///
    /// Every pair of types that the draft does not list is refused, although some would be narrower: what is decided here
    /// must be decided alike everywhere.
    public func subsumes(_ other: AttenuatingConstraint) -> Bool {
        switch (self, other) {
        case (.wildcard, _): true
        case (.exact(let wanted), .exact(let value)): wanted == value
        case (.range(let range), .range(let narrower)): range.covers(narrower)
        case (.range, .exact(let value)): accepts(value)
        case (.oneOf(let values), .oneOf(let fewer)): !fewer.isEmpty && fewer.isSubset(of: values)
        case (.oneOf(let values), .exact(let value)): values.contains(value)
        case (.notOneOf(let values), .notOneOf(let more)): values.isSubset(of: more)
        case (.contains(let values), .contains(let more)): values.isSubset(of: more)
        case (.subset(let values), .subset(let fewer)): fewer.isSubset(of: values)
        case (.all(let clauses), .all(let narrower)):
            clauses.allSatisfy { clause in narrower.contains { clause.subsumes($0) } }
        case (.any(let clauses), .any(let narrower)):
            !narrower.isEmpty && narrower.allSatisfy { clause in clauses.contains { $0.subsumes(clause) } }
        default: false
        }
    }
}
