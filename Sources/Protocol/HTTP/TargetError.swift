/// Why a request's target is not one that two readers would be sure to understand alike.
///
/// The name is what the operator reads in the audit record; the client learns `malformed-request` only.
public enum TargetError: String, Error, Equatable, Sendable {
    /// It does not begin with `/`: it is not in origin-form (RFC 9112 §3.2.1).
    case form = "malformed.target-form"
    /// A character that the path or query may not hold: a space, control, `#`, `\`, non-ASCII byte…
    case character = "malformed.target-character"
    /// A percent sign without two hexadecimal digits behind it.
    case escape = "malformed.target-escape"
    /// `%2F` or `%5C`: a separator to some, data to others.
    case encodedSeparator = "malformed.target-encoded-separator"
    /// `%00` to `%1F` or `%7F`.
    case encodedControl = "malformed.target-encoded-control"
    /// `%25` with two hexadecimal digits behind it: who decodes twice reads another path.
    case doubleEncoding = "malformed.target-double-encoding"
    /// A segment that is `.` or `..` only after decoding.
    case encodedDotSegment = "malformed.target-encoded-dot-segment"
    /// More `..` than there are segments to remove.
    case aboveRoot = "malformed.target-above-root"
    /// `//`: some merge it, some do not.
    case emptySegment = "malformed.target-empty-segment"
    /// `;`: path parameters are cut off by some and kept by others.
    case segmentParameter = "malformed.target-segment-parameter"
    /// Percent-encoded bytes that are not UTF-8, such as the overlong `%C0%AF`.
    case encoding = "malformed.target-encoding"

    /// The stable name of the check that failed.
    public var reason: String { rawValue }
}
