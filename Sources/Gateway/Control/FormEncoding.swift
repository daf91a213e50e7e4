/// The `application/x-www-form-urlencoded` spelling of bytes (RFC 6749 appendix B).
enum FormEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// Appends `bytes`: letters, digits and `-._*` as they are, a space as `+`, all others as `%XX`.
    static func append(_ bytes: [UInt8], to output: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "*"):
                output.append(byte)
            case UInt8(ascii: " "):
                output.append(UInt8(ascii: "+"))
            default:
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}
