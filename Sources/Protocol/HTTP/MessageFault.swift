/// Why a message cannot be taken as it came.
///
/// The name is what the operator reads in the audit record; the client learns the status only.
public enum MessageFault: String, Error, Equatable, Sendable {
    // Malformed, ambiguous or smuggling-shaped: 400, and the connection ends.
    case authority = "malformed.authority"
    case chunk = "malformed.chunk"
    case connect = "malformed.connect"
    case contentLength = "malformed.content-length"
    case fieldLine = "malformed.field-line"
    case fieldName = "malformed.field-name"
    case fieldValue = "malformed.field-value"
    case framing = "malformed.framing"
    case host = "malformed.host"
    case lineEnding = "malformed.line-ending"
    case method = "malformed.method"
    case pseudoField = "malformed.pseudo-field"
    case requestLine = "malformed.request-line"
    case statusLine = "malformed.status-line"
    case target = "malformed.target"
    case trailer = "malformed.trailer"
    case transferEncoding = "malformed.transfer-encoding"
    case truncated = "malformed.truncated"
    case upgrade = "malformed.upgrade"
    case version = "malformed.version"
    // Limits: 413, 414, 431.
    case contentTooLarge = "limit.body-bytes"
    case targetTooLong = "limit.target-bytes"
    case fieldsTooLarge = "limit.header-bytes"
    case tooManyFields = "limit.header-count"
    /// An expectation other than 100-continue: 417.
    case expectation = "malformed.expectation"
}

/// The bounds of one message head.
public struct HeadLimits: Equatable, Sendable {
    /// The most bytes that a request line or status line, or all field lines together, may take.
    public var bytes: Int
    /// The most field lines.
    public var count: Int

    /// Makes bounds.
    public init(bytes: Int, count: Int) {
        self.bytes = bytes
        self.count = count
    }
}
