import Bytes
import HTTP

/// Finds the lines of a message's head, and where it ends, without looking at any byte twice.
///
/// The bytes of an unfinished head stay with the caller, who comes again with more behind them; the scanner remembers how
/// far it was. Limits are checked as bytes arrive, so an endless head is refused at the limit, and so is whatever ends a
/// line but CRLF and every control character but tab: a line that was found holds none.
struct HeadScanner {
    enum Finding: Equatable {
        case needMore
        /// The first line is there: the bytes before `end`, which counts its CRLF.
        case startLine(end: Int)
        /// The head is there: `fields` is where the field lines begin, `end` is behind the blank line.
        case head(fields: Int, end: Int)
        case fault(MessageFault)
    }

    private let limits: HeadLimits
    private let longStartLine: MessageFault
    private let badStartLine: MessageFault
    /// How many bytes were looked at.
    private(set) var scanned = 0
    /// Behind which offsets the field lines end, counting their CRLF.
    private(set) var lineEnds: [UInt32] = []
    private var lineStart = 0
    private var fieldsStart = 0

    /// Makes a scanner.
    ///
    /// - Parameters:
    ///   - limits: of heads.
    ///   - longStartLine: what a first line past the limit is called.
    ///   - badStartLine: what a first line with a control character is called.
    init(limits: HeadLimits, longStartLine: MessageFault, badStartLine: MessageFault) {
        self.limits = limits
        self.longStartLine = longStartLine
        self.badStartLine = badStartLine
    }

    /// Starts over, for the next head.
    mutating func reset() {
        scanned = 0
        lineEnds.removeAll(keepingCapacity: true)
        lineStart = 0
        fieldsStart = 0
    }

    /// Goes on in `bytes`, which begin with the head's first byte.
    mutating func scan(_ bytes: Span<UInt8>) -> Finding {
        while true {
            let index = bytes.endOfFieldContent(from: scanned)
            let isReturn = index < bytes.count && bytes[index] == UInt8(ascii: "\r")
            let next = min(index + (isReturn ? 2 : 1), bytes.count)
            if next - fieldsStart > limits.bytes {
                return .fault(fieldsStart == 0 ? longStartLine : .fieldsTooLarge)
            }
            scanned = index
            guard next > index + (isReturn ? 1 : 0) else { return .needMore }
            guard isReturn, bytes[index + 1] == UInt8(ascii: "\n") else { return .fault(fault(bytes, at: index)) }
            scanned = next
            if fieldsStart == 0 {
                lineStart = next
                fieldsStart = next
                return .startLine(end: next)
            }
            if index == lineStart { return .head(fields: fieldsStart, end: next) }
            lineStart = next
            lineEnds.append(UInt32(next))
            if lineEnds.count > limits.count { return .fault(.tooManyFields) }
        }
    }

    /// What is wrong about the control character at `index`, which is not a CR with its LF.
    private func fault(_ bytes: Span<UInt8>, at index: Int) -> MessageFault {
        if bytes[index] == UInt8(ascii: "\r") || bytes[index] == UInt8(ascii: "\n") { return .lineEnding }
        if fieldsStart == 0 { return badStartLine }
        let colon = bytes.extracting(lineStart..<index).firstIndex(of: UInt8(ascii: ":"))
        return colon == nil ? .fieldName : .fieldValue
    }
}
