/// Why a token's list of capabilities is not one that we can judge.
public enum AttenuatingFault: Error, Equatable, Sendable {
    /// A constraint is not written as its type demands, or has a member that its type does not define.
    case constraint
    /// A constraint is of a type that we do not know: it restricts something, and we cannot tell what.
    case constraintType
    /// Constraints lie deeper in one another than we follow them.
    case depth
    /// The list is not written as it must be: the entry, a tool, or the map of a tool.
    case form
    /// There are more tools than a token may name, or more constraints than a tool may have.
    case number
    /// A number has digits that a double cannot hold: others would read another number.
    case precision
}
