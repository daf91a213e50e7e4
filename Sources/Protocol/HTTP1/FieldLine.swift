import Bytes
import HTTP

/// Where the parts of one field line lie: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
struct FieldLine {
    let name: Range<Int>
    let value: Range<Int>

    /// Reads the line in `range`, as found by ``HeadScanner``: it ends with CRLF and holds no other control but tab.
    ///
    /// Folded lines, white space before the colon and names that are no token are refused.
    init(_ bytes: Span<UInt8>, in range: Range<Int>) throws(MessageFault) {
        var end = range.upperBound - 2
        var index = range.lowerBound
        while TokenTable.contains(bytes[index]) { index += 1 }
        guard bytes[index] == UInt8(ascii: ":"), index > range.lowerBound else {
            let isFolded = index == range.lowerBound && bytes[index].isOptionalWhiteSpace
            throw isFolded || index == end ? .fieldLine : .fieldName
        }
        name = range.lowerBound..<index
        index += 1
        while bytes[index].isOptionalWhiteSpace { index += 1 }
        while end > index, bytes[end - 1].isOptionalWhiteSpace { end -= 1 }
        value = index..<end
    }
}
