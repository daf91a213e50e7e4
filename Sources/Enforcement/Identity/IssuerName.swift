import Bytes

/// The one spelling of a distinguished name by which names are compared here.
public enum IssuerName {
    /// The parts of the name in lower case and in order, each by its short type, whatever order and spelling they came in.
    ///
    /// RFC 4514 writes the last part first, OpenSSL by default the first; types may be dotted numbers, and values the digits of
    /// their DER (§2.4). Bytes of other letters than ASCII's may be escaped (`\C3\BC`) or not. Too much is taken for the same
    /// rather than too little: what is found by it is then proven by a signature, or is meant to be refused.
    public static func normalized(_ name: String) -> String {
        let plain = String(decoding: unescaped(Array(name.utf8)), as: UTF8.self).lowercased()
        return parts(of: Array(plain.utf8)).map(part).sorted().joined(separator: ",")
    }

    /// The parts between separators that are not escaped.
    private static func parts(of name: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in name {
            if !isEscaped, byte == UInt8(ascii: ",") || byte == UInt8(ascii: "+") {
                parts.append([])
                continue
            }
            parts[parts.count - 1].append(byte)
            isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
        }
        return parts
    }

    /// `type=value` of one part.
    private static func part(_ bytes: [UInt8]) -> String {
        guard let equals = bytes.firstIndex(of: UInt8(ascii: "=")) else { return trimmed(bytes[...]) }
        let type = trimmed(bytes[..<equals])
        let value = trimmed(bytes[(equals + 1)...])
        return "\(types[type] ?? type)=\(encodedValue(value) ?? value)"
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        let space = UInt8(ascii: " ")
        var bytes = bytes.drop { $0 == space }
        while bytes.last == space { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The text of a value that is written as the digits of its DER: a string of fewer than 128 bytes.
    private static func encodedValue(_ value: String) -> String? {
        guard value.utf8.first == UInt8(ascii: "#"), let der = Hexadecimal.decode(Array(value.utf8.dropFirst()).span),
            der.count >= 2, der[1] < 0x80, Int(der[1]) == der.count - 2, stringTags.contains(der[0])
        else { return nil }
        return String(decoding: der.dropFirst(2), as: UTF8.self).lowercased()
    }

    /// UTF8String, NumericString, PrintableString, T61String and IA5String.
    private static let stringTags: Set<UInt8> = [0x0C, 0x12, 0x13, 0x14, 0x16]

    /// The other spellings of types.
    private static let types = [
        "2.5.4.3": "cn", "2.5.4.4": "sn", "2.5.4.5": "serialnumber", "2.5.4.6": "c", "2.5.4.7": "l", "2.5.4.8": "st",
        "s": "st", "2.5.4.9": "street", "streetaddress": "street", "2.5.4.10": "o", "2.5.4.11": "ou",
        "2.5.4.12": "title", "2.5.4.13": "description", "2.5.4.15": "businesscategory", "2.5.4.17": "postalcode",
        "2.5.4.42": "gn", "givenname": "gn", "2.5.4.43": "initials", "2.5.4.44": "generationqualifier",
        "2.5.4.46": "dnqualifier", "2.5.4.65": "pseudonym", "2.5.4.97": "organizationidentifier", "surname": "sn",
        "0.9.2342.19200300.100.1.1": "uid", "userid": "uid", "0.9.2342.19200300.100.1.25": "dc",
        "domaincomponent": "dc", "commonname": "cn", "1.2.840.113549.1.9.1": "emailaddress", "e": "emailaddress",
        "email": "emailaddress", "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionl",
        "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionst", "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionc",
    ]

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
