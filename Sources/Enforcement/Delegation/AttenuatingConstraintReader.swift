import Bytes
import JSON

/// Reads the constraints of one tool, and counts them.
struct AttenuatingConstraintReader {
    /// The constraints that a tool may have, those that lie in others among them.
    private static let maximumCount = 64

    private var count = 0

    /// Reads one that stands in a tool's map by itself.
    ///
    /// - Parameter isNamed: whether it is for an argument that has a name, and may be optional.
    mutating func argument(_ value: JSONValue, isNamed: Bool) throws(AttenuatingFault) -> AttenuatingArgument {
        guard value.kind == .object else { throw .constraint }
        var isOptional = false
        if let member = value.member("optional") {
            guard isNamed, let bool = member.bool else { throw .constraint }
            isOptional = bool
        }
        let constraint = try constraint(value, depth: 1, otherMembers: value.member("optional") == nil ? 1 : 2)
        return AttenuatingArgument(constraint: constraint, isOptional: isOptional)
    }

    /// Reads a constraint, which may have no members but its own and `otherMembers`, its type among these.
    private mutating func constraint(
        _ value: JSONValue, depth: Int, otherMembers: Int
    ) throws(AttenuatingFault) -> AttenuatingConstraint {
        guard depth <= AttenuatingConstraint.maximumDepth else { throw .depth }
        count += 1
        guard count <= Self.maximumCount else { throw .number }
        guard let type = value.member("constraint_type"), let name = type.string else { throw .constraint }
        switch name {
        case "range": return .range(try Self.range(value, otherMembers: otherMembers))
        case "wildcard":
            guard value.count == otherMembers else { throw .constraint }
            return .wildcard
        case "exact": return .exact(try Self.scalar(try Self.member("value", of: value, otherMembers)))
        case "one_of":
            let values = try Self.values(try Self.member("values", of: value, otherMembers))
            guard !values.isEmpty else { throw .constraint }
            return .oneOf(values)
        case "not_one_of": return .notOneOf(try Self.values(try Self.member("excluded", of: value, otherMembers)))
        case "contains": return .contains(try Self.values(try Self.member("required", of: value, otherMembers)))
        case "subset": return .subset(try Self.values(try Self.member("allowed", of: value, otherMembers)))
        case "all":
            return .all(try clauses(try Self.member("constraints", of: value, otherMembers), depth: depth))
        case "any":
            return .any(try clauses(try Self.member("constraints", of: value, otherMembers), depth: depth))
        default: throw .constraintType
        }
    }

    private mutating func clauses(
        _ list: JSONValue, depth: Int
    ) throws(AttenuatingFault) -> [AttenuatingConstraint] {
        // An empty conjunction would accept everything while it seems to restrict something.
        guard list.kind == .array, list.count > 0 else { throw .constraint }
        var clauses: [AttenuatingConstraint] = []
        var elements = list.elements
        while let element = elements.next() {
            guard element.kind == .object else { throw .constraint }
            clauses.append(try constraint(element, depth: depth + 1, otherMembers: 1))
        }
        return clauses
    }

    /// The only member that a constraint has beside `others`.
    @_lifetime(copy value)
    private static func member(
        _ name: StaticString, of value: JSONValue, _ others: Int
    ) throws(AttenuatingFault) -> JSONValue {
        guard value.count == others + 1, let member = value.member(name) else { throw .constraint }
        return member
    }

    private static func scalar(_ value: JSONValue) throws(AttenuatingFault) -> AttenuatingValue {
        let value = try AttenuatingValue(value)
        guard value.isScalar else { throw .constraint }
        return value
    }

    private static func values(_ value: JSONValue) throws(AttenuatingFault) -> Set<AttenuatingValue> {
        guard value.kind == .array else { throw .constraint }
        return Set(try AttenuatingValue.elements(of: value))
    }

    private static func range(
        _ value: JSONValue, otherMembers: Int
    ) throws(AttenuatingFault) -> AttenuatingRange {
        var members = otherMembers
        let minimum = try bound(value.member("min"), value.member("min_inclusive"), counting: &members)
        let maximum = try bound(value.member("max"), value.member("max_inclusive"), counting: &members)
        guard value.count == members else { throw .constraint }
        if let minimum, let maximum, minimum.value > maximum.value { throw .constraint }
        return AttenuatingRange(minimum: minimum, maximum: maximum)
    }

    private static func bound(
        _ number: JSONValue?, _ inclusive: JSONValue?, counting members: inout Int
    ) throws(AttenuatingFault) -> AttenuatingRange.Bound? {
        guard let number else {
            guard inclusive == nil else { throw .constraint }
            return nil
        }
        guard number.kind == .number else { throw .constraint }
        members += 1
        var isInclusive = true
        if let inclusive {
            guard let bool = inclusive.bool else { throw .constraint }
            isInclusive = bool
            members += 1
        }
        return AttenuatingRange.Bound(try AttenuatingValue.number(number), isInclusive: isInclusive)
    }
}
