public import HTTP

/// Why a text is not a path pattern.
public enum PathPatternError: Error, Equatable, Sendable {
    /// Two parameters have that name.
    case duplicateParameter(String)
    /// It holds `//`.
    case emptySegment
    /// It does not begin with `/`.
    case notAbsolute
    /// That is no name for a parameter.
    case parameterName(String)
    /// A brace stands in that segment, which is not one parameter as a whole.
    case partialParameter(String)
    /// The parameter of that name takes the rest of the path, and something follows.
    case restNotLast(String)
    /// No request's path can hold that segment: why, where that has a name.
    case unreachable(String, TargetError?)
}

extension PathPatternError: CustomStringConvertible {
    /// One phrase for the operator.
    public var description: String {
        switch self {
        case .duplicateParameter(let name): "two parameters are named {\(name)}"
        case .emptySegment: "an empty segment (//) is in no request's path"
        case .notAbsolute: "a path begins with /"
        case .parameterName(let name):
            "{\(name)} is no parameter: a name is a letter or _, then letters, digits and _"
        case .partialParameter(let segment):
            "in \(segment), a parameter must be the whole segment: {name}, or {name...} at the end"
        case .restNotLast(let name): "{\(name)...} takes the rest of the path, so nothing may follow it"
        case .unreachable(let segment, .some(let error)):
            "no request's path can hold the segment \(segment) (\(error.reason))"
        case .unreachable(let segment, .none):
            "no request's path can hold the segment \(segment)"
        }
    }
}
