/// The six kinds of value that JSON knows (RFC 8259 §3).
public enum JSONKind: UInt8, Sendable {
    /// The literal `null`.
    case null
    /// The literal `true` or `false`.
    case bool
    /// A number, of any size and precision.
    case number
    /// A string.
    case string
    /// An ordered list of values.
    case array
    /// A set of members, each a name and a value.
    case object
}
