import Bytes

/// A JSON text that was read strictly (RFC 8259), and owns what it read.
///
/// Refused, beyond what the grammar forbids: a member named twice at any level (compared after unescaping, RFC 7515 §4), a
/// byte order mark, invalid UTF-8, half a surrogate pair, and whatever exceeds the limits. A number may have any size: it
/// is refused by who asks for it as an integer or a double. Two blocks of memory, three where a string has escapes.
public struct JSONDocument: ~Copyable, Sendable {
    private let bytes: [UInt8]
    private let nodes: [JSONNode]

    /// Reads `text`, all of which must be one value.
    public init(_ text: Span<UInt8>, limits: JSONLimits = .standard) throws(JSONError) {
        var parser = try JSONParser(text, limits: limits)
        try parser.parse()
        bytes = parser.bytes
        nodes = parser.nodes
    }

    /// The value that the text is.
    public var root: JSONValue {
        @_lifetime(borrow self)
        borrowing get { JSONValue(bytes: bytes.span, nodes: nodes.span, index: 0) }
    }
}
