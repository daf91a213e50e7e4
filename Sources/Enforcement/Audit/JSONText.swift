public import Bytes

extension ByteQueue {
    /// Appends text as the inside of a JSON string (RFC 8259 §7).
    ///
    /// Control characters (C0, DEL and C1) are escaped, so that no log line moves a terminal's cursor; other characters
    /// stand as they are. Every byte that is not part of well-formed UTF-8 becomes `\ufffd`: a U+FFFD that was in the
    /// text stands unescaped, so the two differ.
    public mutating func append(escapingJSON text: Span<UInt8>) {
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

    /// Appends a member whose value is text that needs no escape, all at once: a record is made of a hundred short pieces,
    /// and to append each by itself would cost more than its bytes.
    ///
    /// - Parameters:
    ///   - key: needs no escape either.
    ///   - text: the inside of the string.
    ///   - separator: the byte that stands before, if any does.
    mutating func append(key: StaticString, plainText text: Span<UInt8>, after separator: UInt8?) {
        let (keyCount, textCount) = (key.utf8CodeUnitCount, text.count)
        unsafe append(upTo: keyCount + textCount + 6) { room in
            // Six bytes surround the two copies: each store and copy below ends within the room.
            guard var next = room.baseAddress else { return 0 }
            func put(_ byte: UInt8) {
                unsafe next.storeBytes(of: byte, as: UInt8.self)
                unsafe next += 1
            }
            if let separator { put(separator) }
            put(UInt8(ascii: "\""))
            unsafe next.copyMemory(from: key.utf8Start, byteCount: keyCount)
            unsafe next += keyCount
            put(UInt8(ascii: "\""))
            put(UInt8(ascii: ":"))
            put(UInt8(ascii: "\""))
            unsafe text.withUnsafeBytes { source in
                guard let start = source.baseAddress else { return }
                unsafe next.copyMemory(from: start, byteCount: textCount)
            }
            unsafe next += textCount
            put(UInt8(ascii: "\""))
            return keyCount + textCount + (separator == nil ? 5 : 6)
        }
    }
}

extension Digest256 {
    /// 64 lower-case hexadecimal digits, found eight at a time.
    var digits: [64 of UInt8] {
        let bytes = bytes
        var digits: [64 of UInt8] = .init(repeating: 0)
        for group in 0..<8 {
            var word: UInt64 = 0
            for index in 0..<4 { word = word << 8 | UInt64(bytes[4 * group + index]) }
            let text = Self.digits(of: word)
            for index in 0..<8 { digits[8 * group + index] = UInt8(truncatingIfNeeded: text >> UInt64(56 - 8 * index)) }
        }
        return digits
    }

    /// The eight digits of the lower half of `word`, the first in the topmost byte.
    private static func digits(of word: UInt64) -> UInt64 {
        var nibbles = (word | word << 16) & 0x0000_ffff_0000_ffff
        nibbles = (nibbles | nibbles << 8) & 0x00ff_00ff_00ff_00ff
        nibbles = (nibbles | nibbles << 4) & 0x0f0f_0f0f_0f0f_0f0f
        // One in each byte that is a letter: 10 and more carry into the upper half when 6 is added.
        let letters = (nibbles &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return nibbles &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }
}

extension Span where Element == UInt8 {
    /// Whether every byte stands for itself in a JSON string: printable ASCII but for `"` and `\`.
    ///
    /// Most values are such, so eight bytes are looked at with each step; the last step goes over some of them again.
    var needsNoEscape: Bool {
        unsafe withUnsafeBytes { bytes in
            let last = bytes.count - 8
            guard last >= 0 else { return unsafe bytes.allSatisfy { $0.isPlainInJSON } }
            var marks = EightBytes(unsafe bytes.loadUnaligned(fromByteOffset: last, as: UInt64.self)).marks
            var index = 0
            while index < last {
                marks |= EightBytes(unsafe bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)).marks
                index &+= 8
            }
            return marks == 0
        }
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

/// Eight bytes in one word, compared at once: in a mark, the top bit of a byte is set.
private struct EightBytes {
    let word: UInt64

    init(_ word: UInt64) {
        self.word = word
    }

    /// Not zero exactly where a byte does not stand for itself in a JSON string.
    ///
    /// A carry or borrow into a byte comes only from one that is marked itself.
    var marks: UInt64 {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let (quotes, backslashes) = (word ^ ones &* 0x22, word ^ ones &* 0x5c)
        let low = (word &- ones &* 0x20) | (quotes &- ones) | (backslashes &- ones)
        // A byte from 0x80 on is marked by itself, DEL by the carry into its top bit.
        return ((low & ~word) | word | (word &+ ones)) & (ones &* 0x80)
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
