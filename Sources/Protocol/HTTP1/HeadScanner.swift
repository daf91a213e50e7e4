import Bytes
import HTTP

/// Finds where a message's head ends, line by line, without looking at any byte twice.
///
/// The bytes of an unfinished head stay with the caller, who comes again with more behind them; the scanner remembers how
/// far it was. Limits are checked as bytes arrive, so an endless head is refused at the limit.
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
    /// How many bytes were looked at.
    private(set) var scanned = 0
    private var lineStart = 0
    private var fieldsStart = 0
    private var fieldLines = 0

    /// Makes a scanner.
    ///
    /// - Parameters:
    ///   - limits: of heads.
    ///   - longStartLine: what a first line past the limit is called.
    init(limits: HeadLimits, longStartLine: MessageFault) {
        self.limits = limits
        self.longStartLine = longStartLine
    }

    /// Starts over, for the next head.
    mutating func reset() {
        scanned = 0
        lineStart = 0
        fieldsStart = 0
        fieldLines = 0
    }

    /// Goes on in `bytes`, which begin with the head's first byte.
    mutating func scan(_ bytes: Span<UInt8>) -> Finding {
        while let lineFeed = bytes.firstLineFeed(from: scanned) {
            if let fault = fault(upTo: lineFeed + 1) { return .fault(fault) }
            guard lineFeed > lineStart, bytes[lineFeed - 1] == UInt8(ascii: "\r") else { return .fault(.lineEnding) }
            let isBlank = lineFeed - 1 == lineStart
            lineStart = lineFeed + 1
            scanned = lineStart
            if fieldsStart == 0 {
                fieldsStart = lineStart
                return .startLine(end: lineStart)
            }
            if isBlank { return .head(fields: fieldsStart, end: lineStart) }
            fieldLines += 1
            if fieldLines > limits.count { return .fault(.tooManyFields) }
        }
        scanned = bytes.count
        if let fault = fault(upTo: scanned) { return .fault(fault) }
        return .needMore
    }

    private func fault(upTo end: Int) -> MessageFault? {
        guard end - fieldsStart > limits.bytes else { return nil }
        return fieldsStart == 0 ? longStartLine : .fieldsTooLarge
    }
}

extension Span where Element == UInt8 {
    /// The offset of the first LF at or after `start`, eight bytes at a time.
    func firstLineFeed(from start: Int) -> Int? {
        // Every load lies in `index ..< index + 8 <= count` of the buffer that the closure is lent.
        unsafe withUnsafeBufferPointer { buffer in
            var index = start
            if let base = buffer.baseAddress {
                let raw = unsafe UnsafeRawPointer(base)
                while index + 8 <= buffer.count {
                    let word = unsafe raw.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                    let differences = UInt64(littleEndian: word) ^ 0x0A0A_0A0A_0A0A_0A0A
                    let zeros = (differences &- 0x0101_0101_0101_0101) & ~differences & 0x8080_8080_8080_8080
                    if zeros != 0 { return index + zeros.trailingZeroBitCount / 8 }
                    index += 8
                }
            }
            while index < buffer.count {
                if unsafe buffer[index] == UInt8(ascii: "\n") { return index }
                index += 1
            }
            return nil
        }
    }
}
