/// The one spelling of a distinguished name by which names are compared here.
public enum IssuerName {
    /// The name in lower case, without the spaces that may stand around `,`, `=` and `+`.
    ///
    /// Bytes of other letters than ASCII's may be escaped (`\C3\BC`) or not (RFC 4514 §2.4). Too much is taken for the same
    /// rather than too little: what is found by it is then proven by a signature, or is meant to be refused.
    public static func normalized(_ name: String) -> String {
        let plain = Array(String(decoding: unescaped(Array(name.utf8)), as: UTF8.self).lowercased().utf8)
        var result: [UInt8] = []
        result.reserveCapacity(plain.count)
        var spaces = 0
        var isAfterSeparator = true
        for byte in plain {
            if byte == UInt8(ascii: " ") {
                spaces += 1
                continue
            }
            let isSeparator = byte == UInt8(ascii: ",") || byte == UInt8(ascii: "=") || byte == UInt8(ascii: "+")
            if !isSeparator, !isAfterSeparator {
                result.append(contentsOf: repeatElement(UInt8(ascii: " "), count: spaces))
            }
            result.append(byte)
            spaces = 0
            isAfterSeparator = isSeparator
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Undoes the escapes of bytes outside of ASCII; the others separate values from structure, and stay.
    private static func unescaped(_ name: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < name.count {
            if name[index] == UInt8(ascii: "\\"), index + 2 < name.count, let high = digit(name[index + 1]), high > 7,
                let low = digit(name[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else if name[index] == UInt8(ascii: "\\"), index + 1 < name.count {
                result += name[index...index + 1]
                index += 2
            } else {
                result.append(name[index])
                index += 1
            }
        }
        return result
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The one spelling of a certificate's serial number.
enum SerialNumber {
    /// Lower-case digits without leading zeros and colons; a minus sign stays.
    static func normalized(_ serial: String) -> String {
        let digits = serial.lowercased().utf8.filter { $0 != UInt8(ascii: ":") }
        let isNegative = digits.first == UInt8(ascii: "-")
        let significant = digits.dropFirst(isNegative ? 1 : 0).drop { $0 == UInt8(ascii: "0") }
        guard !significant.isEmpty else { return "0" }
        return (isNegative ? "-" : "") + String(decoding: significant, as: UTF8.self)
    }
}
