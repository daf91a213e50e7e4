/// Writes DER by hand, right or wrong, for what no library would write.
public enum DER {
    /// One value: identifier octet, length, content.
    public static func value(_ tag: UInt8, _ content: [UInt8]...) -> [UInt8] { value(tag, content.flatMap(\.self)) }

    /// One value: identifier octet, length, content.
    public static func value(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] { [tag] + length(content.count) + content }

    /// A sequence of values.
    public static func sequence(_ parts: [UInt8]...) -> [UInt8] { value(0x30, parts.flatMap(\.self)) }

    /// An object identifier, given by its content octets.
    public static func identifier(_ content: [UInt8]) -> [UInt8] { value(0x06, content) }

    /// An integer, given by its content octets.
    public static func integer(_ content: [UInt8]) -> [UInt8] { value(0x02, content) }

    /// A time as RFC 5280 writes those before 2050.
    public static func time(_ text: String) -> [UInt8] { value(text.utf8.count == 13 ? 0x17 : 0x18, Array(text.utf8)) }

    private static func length(_ count: Int) -> [UInt8] {
        if count < 0x80 { return [UInt8(count)] }
        var bytes: [UInt8] = []
        var rest = count
        while rest > 0 {
            bytes.insert(UInt8(rest & 0xFF), at: 0)
            rest >>= 8
        }
        return [0x80 | UInt8(bytes.count)] + bytes
    }
}
