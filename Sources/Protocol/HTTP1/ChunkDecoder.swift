import Bytes
import HTTP

/// Takes the chunked transfer coding apart (RFC 9112 §7.1), byte by byte, holding none but those of the trailers.
///
/// Extensions are checked for their syntax and dropped; trailers obey the rules of field lines. White space is allowed
/// nowhere else: where it was, implementations disagreed.
struct ChunkDecoder {
    private enum State {
        case firstDigit, size
        case extensionNameStart, extensionName, extensionValueStart, extensionToken
        case quotedText, quotedPair, quotedEnd
        case sizeLineFeed, data, dataReturn, dataLineFeed
        case lineStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case finished
    }

    private let limits: HeadLimits
    private let bodyLimit: UInt64
    private var state = State.firstDigit
    private var digits = 0
    /// The bytes that the present chunk still has to bring.
    private var remaining: UInt64 = 0
    private var total: UInt64 = 0
    private var extensionBytes = 0
    private var trailerBytes = 0
    private var trailerLines = 0
    /// The trailers' lines, each with its CRLF.
    private var trailers: [UInt8] = []

    /// Makes a decoder.
    ///
    /// - Parameters:
    ///   - limits: of the trailers, and `bytes` of all chunk extensions together.
    ///   - bodyLimit: of the content, in bytes; 0: none.
    init(limits: HeadLimits, bodyLimit: UInt64) {
        self.limits = limits
        self.bodyLimit = bodyLimit
    }

    /// Hands out the trailers that ``TrailerRules`` allows and forgets them all.
    mutating func takeTrailers(into table: inout FieldTable) {
        let lines = trailers
        trailers = []
        var start = 0
        while let lineFeed = lines.span.firstIndex(of: UInt8(ascii: "\n"), from: start) {
            defer { start = lineFeed + 1 }
            // A line that was taken is well-formed.
            guard let field = try? FieldLine(lines.span, in: start..<lineFeed + 1) else { continue }
            let name = lines.span.extracting(field.name)
            guard TrailerRules.allows(name) else { continue }
            table.append(name: name, value: lines.span.extracting(field.value))
        }
    }

    /// Reads on, up to the next content or the end.
    mutating func next(_ bytes: Span<UInt8>) -> BodyDecoder.Event {
        do throws(MessageFault) {
            var index = 0
            while index < bytes.count {
                if state == .data {
                    let count = Int(min(remaining, UInt64(bytes.count - index)))
                    remaining -= UInt64(count)
                    if remaining == 0 { state = .dataReturn }
                    return .body(offset: index, count: count, consumed: index + count)
                }
                try take(bytes[index])
                index += 1
                if state == .finished { return .end(consumed: index) }
            }
            return .needMore(consumed: index)
        } catch {
            return .fault(error)
        }
    }

    private mutating func take(_ byte: UInt8) throws(MessageFault) {
        switch state {
        case .firstDigit, .size: try takeSize(byte)
        case .extensionNameStart, .extensionName, .extensionValueStart, .extensionToken, .quotedText, .quotedPair,
            .quotedEnd:
            try takeExtension(byte)
        case .sizeLineFeed:
            try expect(byte, UInt8(ascii: "\n"))
            state = remaining > 0 ? .data : .lineStart
        case .dataReturn:
            guard byte == UInt8(ascii: "\r") else { throw .chunk }
            state = .dataLineFeed
        case .dataLineFeed:
            try expect(byte, UInt8(ascii: "\n"))
            state = .firstDigit
            digits = 0
        case .lineStart, .trailerName, .trailerValue, .trailerLineFeed: try takeTrailer(byte)
        case .lastLineFeed:
            try expect(byte, UInt8(ascii: "\n"))
            state = .finished
        case .data, .finished: throw .chunk
        }
    }

    private func expect(_ byte: UInt8, _ wanted: UInt8) throws(MessageFault) {
        guard byte == wanted else { throw .lineEnding }
    }

    private mutating func takeSize(_ byte: UInt8) throws(MessageFault) {
        let value = byte.hexadecimalValue
        if value < 16 {
            guard digits < 16 else { throw .chunk }
            remaining = digits == 0 ? UInt64(value) : remaining << 4 | UInt64(value)
            digits += 1
            state = .size
            return
        }
        guard state == .size else { throw byte == UInt8(ascii: "\n") ? .lineEnding : .chunk }
        let (sum, overflow) = total.addingReportingOverflow(remaining)
        guard !overflow else { throw .chunk }
        guard bodyLimit == 0 || sum <= bodyLimit else { throw .contentTooLarge }
        total = sum
        try endToken(byte)
    }

    /// What may stand behind the size or behind an extension.
    private mutating func endToken(_ byte: UInt8) throws(MessageFault) {
        switch byte {
        case UInt8(ascii: "\r"): state = .sizeLineFeed
        case UInt8(ascii: ";"): state = .extensionNameStart
        case UInt8(ascii: "\n"): throw .lineEnding
        default: throw .chunk
        }
    }

    private mutating func takeExtension(_ byte: UInt8) throws(MessageFault) {
        extensionBytes += 1
        guard extensionBytes <= limits.bytes else { throw .chunk }
        let isToken = ByteSet.token.contains(byte)
        switch state {
        case .extensionNameStart:
            guard isToken else { throw .chunk }
            state = .extensionName
        case .extensionName:
            if isToken { return }
            if byte == UInt8(ascii: "=") { state = .extensionValueStart } else { try endToken(byte) }
        case .extensionValueStart:
            guard isToken || byte == UInt8(ascii: "\"") else { throw .chunk }
            state = isToken ? .extensionToken : .quotedText
        case .extensionToken:
            if !isToken { try endToken(byte) }
        case .quotedText:
            guard byte.isFieldContent else { throw .chunk }
            if byte == UInt8(ascii: "\"") { state = .quotedEnd }
            if byte == UInt8(ascii: "\\") { state = .quotedPair }
        case .quotedPair:
            guard byte.isFieldContent else { throw .chunk }
            state = .quotedText
        default: try endToken(byte)
        }
    }

    private mutating func takeTrailer(_ byte: UInt8) throws(MessageFault) {
        trailerBytes += 1
        guard trailerBytes <= limits.bytes else { throw .fieldsTooLarge }
        if state == .lineStart, byte == UInt8(ascii: "\r") {
            state = .lastLineFeed
            return
        }
        trailers.append(byte)
        switch state {
        case .lineStart:
            trailerLines += 1
            guard trailerLines <= limits.count else { throw .tooManyFields }
            guard ByteSet.token.contains(byte) else { throw byte == UInt8(ascii: "\n") ? .lineEnding : .trailer }
            state = .trailerName
        case .trailerName:
            if ByteSet.token.contains(byte) { return }
            guard byte == UInt8(ascii: ":") else { throw .trailer }
            state = .trailerValue
        case .trailerValue:
            if byte.isFieldContent { return }
            guard byte == UInt8(ascii: "\r") else { throw byte == UInt8(ascii: "\n") ? .lineEnding : .trailer }
            state = .trailerLineFeed
        default:
            try expect(byte, UInt8(ascii: "\n"))
            state = .lineStart
        }
    }
}
