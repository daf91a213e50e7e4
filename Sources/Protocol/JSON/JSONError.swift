/// Why a text is not the JSON that we read, with the offset in bytes where that shows.
public enum JSONError: Error, Equatable, Sendable {
    /// It begins with a byte order mark (RFC 8259 §8.1).
    case byteOrderMark
    /// A control character stands unescaped in a string.
    case controlCharacter(at: Int)
    /// An object names a member twice, compared after unescaping.
    case duplicateMember(at: Int)
    /// A backslash is followed by something that is no escape.
    case invalidEscape(at: Int)
    /// A number is not written as RFC 8259 §6 says: a leading zero, a missing digit, a plus sign.
    case invalidNumber(at: Int)
    /// A string is not well-formed UTF-8.
    case invalidUTF8(at: Int)
    /// An escape is one half of a surrogate pair.
    case loneSurrogate(at: Int)
    /// It has more bytes than the limit allows.
    case tooLarge
    /// An object has more members than the limit allows.
    case tooManyMembers(at: Int)
    /// Arrays and objects lie deeper than the limit allows.
    case tooDeep(at: Int)
    /// Something follows the value.
    case trailingData(at: Int)
    /// It ends inside a value.
    case truncated
    /// Something else is expected here.
    case unexpectedByte(at: Int)
}

extension JSONError: CustomStringConvertible {
    /// One phrase for a person.
    public var description: String {
        switch self {
        case .byteOrderMark: "a byte order mark before the JSON"
        case .controlCharacter(let offset): "an unescaped control character at byte \(offset)"
        case .duplicateMember(let offset): "a member that is named twice at byte \(offset)"
        case .invalidEscape(let offset): "an invalid escape at byte \(offset)"
        case .invalidNumber(let offset): "an invalid number at byte \(offset)"
        case .invalidUTF8(let offset): "invalid UTF-8 in the string at byte \(offset)"
        case .loneSurrogate(let offset): "half a surrogate pair at byte \(offset)"
        case .tooLarge: "too many bytes"
        case .tooManyMembers(let offset): "too many members in an object at byte \(offset)"
        case .tooDeep(let offset): "nesting too deep at byte \(offset)"
        case .trailingData(let offset): "something after the value at byte \(offset)"
        case .truncated: "an unexpected end"
        case .unexpectedByte(let offset): "an unexpected character at byte \(offset)"
        }
    }
}
