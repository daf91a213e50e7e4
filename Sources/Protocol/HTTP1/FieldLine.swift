import Bytes
import HTTP

/// Where the parts of one field line lie: `name ":" OWS value OWS CRLF` (RFC 9112 §5).
struct FieldLine {
    let name: Range<Int>
    let value: Range<Int>
    /// The offset behind the line's CRLF.
    let end: Int

    /// Reads the line that begins at `start` of a head whose end was found: there is an LF behind every line.
    ///
    /// Folded lines, white space before the colon, control characters and lone CRs are refused.
    init(_ bytes: Span<UInt8>, at start: Int) throws(MessageFault) {
        var index = start
        while ByteSet.token.contains(bytes[index]) { index += 1 }
        guard bytes[index] == UInt8(ascii: ":") else { throw Self.faultInName(bytes, start: start, at: index) }
        guard index > start else { throw .fieldName }
        name = start..<index
        index += 1
        while bytes[index].isOptionalWhiteSpace { index += 1 }
        let valueStart = index
        index = bytes.endOfFieldContent(from: index)
        guard bytes[index] == UInt8(ascii: "\r"), bytes[index + 1] == UInt8(ascii: "\n") else {
            throw bytes[index] == UInt8(ascii: "\r") || bytes[index] == UInt8(ascii: "\n") ? .lineEnding : .fieldValue
        }
        end = index + 2
        while index > valueStart, bytes[index - 1].isOptionalWhiteSpace { index -= 1 }
        value = valueStart..<index
    }

    private static func faultInName(_ bytes: Span<UInt8>, start: Int, at index: Int) -> MessageFault {
        switch bytes[index] {
        case UInt8(ascii: "\r"): bytes[index + 1] == UInt8(ascii: "\n") ? .fieldLine : .lineEnding
        case UInt8(ascii: " "), UInt8(ascii: "\t"): index == start ? .fieldLine : .fieldName
        default: .fieldName
        }
    }
}

extension Span where Element == UInt8 {
    /// The offset of the first byte at or after `start` that a field value may not hold, or the end.
    func endOfFieldContent(from start: Int) -> Int {
        var index = start
        while index < count, self[index].isFieldContent { index += 1 }
        return index
    }
}
