/// Steps through the elements of a comma-separated field value (RFC 9110 §5.6.1); for lists of tokens.
///
/// Empty elements are skipped, as §5.6.1.2 asks of recipients. Quoted strings are not understood.
public struct ListElements: Sendable {
    private var position = 0

    /// Makes a reader that stands before the first element.
    public init() {}

    /// Where the next element of `value` lies, without white space around it; nothing after the last.
    public mutating func next(in value: Span<UInt8>) -> Range<Int>? {
        while position < value.count {
            var start = position
            while position < value.count, value[position] != UInt8(ascii: ",") { position += 1 }
            var end = position
            position += 1
            while start < end, value[start].isOptionalWhiteSpace { start += 1 }
            while start < end, value[end - 1].isOptionalWhiteSpace { end -= 1 }
            if start < end { return start..<end }
        }
        return nil
    }
}
