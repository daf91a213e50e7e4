import Bytes
import HTTP

/// How the end of content that is being sent will be found, and how much of it is still to come.
enum OutgoingBody: Equatable {
    /// Nothing is written, whatever is handed in: the answer to HEAD, a 304.
    case suppressed
    case length(UInt64)
    case chunked
    case untilClose

    /// Writes content in this framing; empty content writes nothing.
    ///
    /// - Returns: false where there was more than the declared length: the excess was dropped.
    mutating func write(_ bytes: Span<UInt8>, into output: inout ByteQueue) -> Bool {
        guard !bytes.isEmpty else { return true }
        switch self {
        case .suppressed: return true
        case .length(let remaining):
            let count = Int(min(remaining, UInt64(bytes.count)))
            output.append(bytes.extracting(0..<count))
            self = .length(remaining - UInt64(count))
            return count == bytes.count
        case .chunked:
            output.append(hexadecimal: bytes.count)
            output.append("\r\n")
            output.append(bytes)
            output.append("\r\n")
            return true
        case .untilClose:
            output.append(bytes)
            return true
        }
    }

    /// Writes what ends the content.
    ///
    /// - Returns: false where less was written than the declared length: the peer must not take it for the whole.
    func end(into output: inout ByteQueue) -> Bool {
        switch self {
        case .suppressed, .untilClose: return true
        case .length(let remaining): return remaining == 0
        case .chunked:
            output.append("0\r\n\r\n")
            return true
        }
    }

    /// Writes what ends the content, with trailers where the framing has room for them.
    ///
    /// - Returns: as ``end(into:)``.
    func end(trailers: borrowing FieldTable, into output: inout ByteQueue) -> Bool {
        guard self == .chunked else { return end(into: &output) }
        output.append("0\r\n")
        output.append(trailers: trailers)
        output.append("\r\n")
        return true
    }
}

extension ByteQueue {
    /// Appends the field lines, but for those that the machine writes itself or that mean this connection only.
    mutating func append(fields: borrowing FieldTable, isRequest: Bool) {
        for index in 0..<fields.count {
            switch fields[index].known {
            case .connection, .keepAlive, .proxyConnection, .transferEncoding, .contentLength, .upgrade: continue
            case .host, .expect, .te: if isRequest { continue }
            default: break
            }
            append(name: fields.name(index), value: fields.value(index))
        }
    }

    /// Appends the field lines that may stand in trailers.
    mutating func append(trailers: borrowing FieldTable) {
        for index in 0..<trailers.count where TrailerRules.allows(trailers.name(index)) {
            append(name: trailers.name(index), value: trailers.value(index))
        }
    }

    /// Appends one line; a name that is no token is left out, and no byte of a value can end the line.
    private mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        guard ByteSet.token.holdsAll(of: name) else { return }
        append(name)
        append(": ")
        if value.endOfFieldContent(from: 0) == value.count {
            append(value)
        } else {
            for index in value.indices { append(value[index].isFieldContent ? value[index] : UInt8(ascii: " ")) }
        }
        append("\r\n")
    }

    /// Appends `content-length`.
    mutating func append(contentLength: UInt64) {
        append("content-length: ")
        append(decimal: contentLength)
        append("\r\n")
    }

    /// Appends a positive number in lower-case hexadecimal digits.
    mutating func append(hexadecimal number: Int) {
        var shift = (Int.bitWidth - 1 - number.leadingZeroBitCount) / 4 * 4
        while shift >= 0 {
            let digit = UInt8(number >> shift & 15)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            shift -= 4
        }
    }
}
