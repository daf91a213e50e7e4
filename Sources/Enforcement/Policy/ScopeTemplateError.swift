/// Why a text is not a scope template.
public enum ScopeTemplateError: Error, Equatable, Sendable {
    /// A brace without its other half, or one inside another.
    case brace
    /// A character that no scope may hold (RFC 6749 §3.3).
    case character
    /// It has not three parts, none of them empty.
    case parts
    /// The path has no parameter of that name.
    case unknownParameter(String)
}

extension ScopeTemplateError: CustomStringConvertible {
    /// One phrase for the operator.
    public var description: String {
        switch self {
        case .brace: "a brace is not closed, or not opened"
        case .character: "a scope holds printable ASCII only, without spaces, quotes and backslashes"
        case .parts: "a scope is action:resource:identifier, none of them empty"
        case .unknownParameter(let name): "the path has no parameter {\(name)}"
        }
    }
}
