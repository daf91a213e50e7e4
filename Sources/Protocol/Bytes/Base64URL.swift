/// The URL- and file-name-safe base64 without padding that JOSE uses (RFC 7515 §2, RFC 4648 §5).
public enum Base64URL {
    /// Decodes canonical base64url.
    ///
    /// - Returns: nothing where `text` holds padding, white space, a character of another alphabet, has an impossible
    ///   length, or has unused trailing bits that are not zero: so that one value has exactly one spelling.
    public static func decode(_ text: Span<UInt8>) -> [UInt8]? {
        let remainder = text.count % 4
        guard remainder != 1 else { return nil }
        let whole = text.count - remainder
        // Every value is under 64: a bit above shows that some character was none.
        var seen: UInt8 = 0
        let bytes = [UInt8](capacity: text.count / 4 * 3 + 2) { output in
            var index = 0
            while index < whole {
                let first = values[Int(text[index])]
                let second = values[Int(text[index + 1])]
                let third = values[Int(text[index + 2])]
                let fourth = values[Int(text[index + 3])]
                seen |= first | second | third | fourth
                output.append(first << 2 | second >> 4)
                output.append(second << 4 | third >> 2)
                output.append(third << 6 | fourth)
                index += 4
            }
            guard remainder > 0 else { return }
            let first = values[Int(text[whole])]
            let second = values[Int(text[whole + 1])]
            let third = remainder == 3 ? values[Int(text[whole + 2])] : 0
            // Unused bits that are not zero are as bad as another character.
            let unused = remainder == 3 ? third << 6 : second << 4
            seen |= first | second | third | (unused == 0 ? 0 : 64)
            output.append(first << 2 | second >> 4)
            if remainder == 3 { output.append(second << 4 | third >> 2) }
        }
        return seen < 64 ? bytes : nil
    }

    /// Encodes `bytes` without padding.
    public static func encode(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count * 4 + 2) / 3)
        var accumulator: UInt32 = 0
        var bits: UInt32 = 0
        for index in bytes.indices {
            accumulator = accumulator << 8 | UInt32(bytes[index])
            bits += 8
            while bits >= 6 {
                bits -= 6
                text.append(character(of: UInt8(truncatingIfNeeded: accumulator >> bits) & 63))
            }
        }
        if bits > 0 { text.append(character(of: UInt8(truncatingIfNeeded: accumulator << (6 - bits)) & 63)) }
        return String(decoding: text, as: UTF8.self)
    }

    /// What each byte stands for: 64 where it is no character of the alphabet.
    private static let values: [256 of UInt8] = [
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 62, 64, 64,
        52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64,
        64, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
        15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 64, 64, 64, 64, 63,
        64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
        41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
        64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    ]

    private static func character(of value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: UInt8(ascii: "A") + value
        case 26..<52: UInt8(ascii: "a") + value - 26
        case 52..<62: UInt8(ascii: "0") + value - 52
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }
}
