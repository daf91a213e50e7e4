import Bytes

extension ByteQueue {
    /// Appends text as the inside of a JSON string (RFC 8259 §7).
    ///
    /// Control characters (C0, DEL and C1) are escaped, so that no log line moves a terminal's cursor; other characters
    /// stand as they are. Every byte that is not part of well-formed UTF-8 becomes `\ufffd`: a U+FFFD that was in the
    /// text stands unescaped, so the two differ.
    mutating func append(escapingJSON text: Span<UInt8>) {
        if text.needsNoEscape {
            append(text)
            return
        }
        var run = 0
        var index = 0
        while index < text.count {
            let length = text.characterLength(at: index)
            guard let escape = text.escape(at: index, length: length) else {
                index += length
                continue
            }
            append(text.extracting(run..<index))
            append(escape: escape)
            index += max(1, length)
            run = index
        }
        append(text.extracting(run..<text.count))
    }

    private mutating func append(escape character: UInt16) {
        switch character {
        case 0x22: append("\\\"")
        case 0x5c: append("\\\\")
        case 0x08: append("\\b")
        case 0x09: append("\\t")
        case 0x0a: append("\\n")
        case 0x0c: append("\\f")
        case 0x0d: append("\\r")
        default:
            append("\\u")
            append(Hexadecimal.digit(UInt8(character >> 12)))
            append(Hexadecimal.digit(UInt8(character >> 8 & 15)))
            append(Hexadecimal.digit(UInt8(character >> 4 & 15)))
            append(Hexadecimal.digit(UInt8(character & 15)))
        }
    }

    /// Appends 64 lower-case hexadecimal digits.
    mutating func append(hexadecimal digest: Digest256) {
        let bytes = digest.bytes
        var digits: [64 of UInt8] = .init(repeating: 0)
        for index in 0..<Digest256.byteCount {
            digits[2 * index] = Hexadecimal.digit(bytes[index] >> 4)
            digits[2 * index + 1] = Hexadecimal.digit(bytes[index] & 15)
        }
        append(digits.span)
    }
}

extension Span where Element == UInt8 {
    /// Whether every byte stands for itself in a JSON string: printable ASCII but for `"` and `\`.
    ///
    /// Without an early exit, so that the loop runs on vectors: most values are plain.
    var needsNoEscape: Bool {
        var other: UInt8 = 0
        for index in indices { other |= self[index].isPlainInJSON ? 0 : 1 }
        return other == 0
    }

    /// Whether these bytes sort before `other` in code-point order.
    func precedes(_ other: Span<UInt8>) -> Bool {
        let common = Swift.min(count, other.count)
        var index = 0
        while index < common {
            if self[index] != other[index] { return self[index] < other[index] }
            index += 1
        }
        return count < other.count
    }

    /// What must be written as an escape in place of the character of `length` bytes at `index`, if anything.
    fileprivate func escape(at index: Int, length: Int) -> UInt16? {
        switch length {
        case 0: 0xfffd
        case 1: self[index].isPlainInJSON ? nil : UInt16(self[index])
        case 2 where self[index] == 0xc2 && self[index + 1] < 0xa0: UInt16(self[index + 1])
        default: nil
        }
    }

    /// The number of bytes of the well-formed UTF-8 character that begins at `index` (RFC 3629 §4); 0: there is none.
    fileprivate func characterLength(at index: Int) -> Int {
        let length: Int
        let second: ClosedRange<UInt8>
        switch self[index] {
        case 0..<0x80: return 1
        case 0xc2...0xdf: (length, second) = (2, 0x80...0xbf)
        case 0xe0: (length, second) = (3, 0xa0...0xbf)
        case 0xed: (length, second) = (3, 0x80...0x9f)
        case 0xe1...0xef: (length, second) = (3, 0x80...0xbf)
        case 0xf0: (length, second) = (4, 0x90...0xbf)
        case 0xf1...0xf3: (length, second) = (4, 0x80...0xbf)
        case 0xf4: (length, second) = (4, 0x80...0x8f)
        default: return 0
        }
        guard index + length <= count, second.contains(self[index + 1]) else { return 0 }
        for offset in 2..<length where self[index + offset] & 0xc0 != 0x80 { return 0 }
        return length
    }
}

extension UInt8 {
    fileprivate var isPlainInJSON: Bool {
        self >= 0x20 && self < 0x7f && self != UInt8(ascii: "\"") && self != UInt8(ascii: "\\")
    }
}

extension StaticString {
    /// The UTF-8 of the literal, which lives as long as the program.
    var span: Span<UInt8> {
        @_lifetime(immortal)
        get {
            let bytes = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
            return unsafe _overrideLifetime(bytes, copying: ())
        }
    }
}
