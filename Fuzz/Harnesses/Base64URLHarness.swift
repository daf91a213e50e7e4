import Bytes
import Foundation

/// Base64url beside Foundation's base64: one value has one spelling.
final class Base64URLHarness: Harness {
    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let copy = Array(copying: input)
        let encoded = Array(Base64URL.encode(input).utf8)
        try demand(Base64URL.decode(encoded.span) == copy, "what is encoded decodes to what it was")
        let decoded = Base64URL.decode(input)
        try demand(decoded == Self.reference(copy), "what is decoded is what Foundation decodes")
        guard let decoded else { return false }
        try demand(Array(Base64URL.encode(decoded.span).utf8) == copy, "what is decoded encodes to what it was")
        return true
    }

    /// What Foundation decodes, if the text is the one that it would have encoded.
    private static func reference(_ text: [UInt8]) -> [UInt8]? {
        var translated: [UInt8] = []
        for character in text {
            switch character {
            case UInt8(ascii: "-"): translated.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): translated.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: translated.append(character)
            }
        }
        while translated.count % 4 != 0 { translated.append(UInt8(ascii: "=")) }
        let padded = Data(translated)
        guard let data = Data(base64Encoded: padded), data.base64EncodedData() == padded else { return nil }
        return Array(data)
    }
}
