/// Frames as bytes, legal or not: written by hand so that nothing of what is tested is used to test it.
enum Frames {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + settings([])

    static func raw(_ type: UInt8, flags: UInt8 = 0, stream: Int32, _ payload: [UInt8] = []) -> [UInt8] {
        let count = payload.count
        return [UInt8(count >> 16 & 0xff), UInt8(count >> 8 & 0xff), UInt8(count & 0xff), type, flags]
            + bigEndian(UInt32(bitPattern: stream)) + payload
    }

    static func data(_ stream: Int32, _ content: [UInt8], end: Bool = false, padding: UInt8? = nil) -> [UInt8] {
        var flags: UInt8 = end ? 0x1 : 0
        guard let padding else { return raw(0x0, flags: flags, stream: stream, content) }
        flags |= 0x8
        let zeros = [UInt8](repeating: 0, count: Int(padding))
        return raw(0x0, flags: flags, stream: stream, [padding] + content + zeros)
    }

    static func headers(_ stream: Int32, _ fields: [(String, String)], end: Bool = true) -> [UInt8] {
        raw(0x1, flags: end ? 0x5 : 0x4, stream: stream, block(fields))
    }

    /// A request with the usual pseudo-fields, then `fields`.
    static func request(
        _ stream: Int32, _ method: String = "GET", _ path: String = "/", _ fields: [(String, String)] = [],
        end: Bool = true
    ) -> [UInt8] {
        headers(stream, head(method, path) + fields, end: end)
    }

    static func head(_ method: String = "GET", _ path: String = "/") -> [(String, String)] {
        [(":method", method), (":scheme", "https"), (":authority", "gate.test"), (":path", path)]
    }

    static func priority(_ stream: Int32, on parent: Int32 = 0) -> [UInt8] {
        raw(0x2, stream: stream, bigEndian(UInt32(bitPattern: parent)) + [15])
    }

    static func reset(_ stream: Int32, code: UInt32 = 0x8) -> [UInt8] {
        raw(0x3, stream: stream, bigEndian(code))
    }

    static func settings(_ entries: [(UInt16, UInt32)]) -> [UInt8] {
        raw(0x4, stream: 0, entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 0xff)] + bigEndian($0.1) })
    }

    static let settingsAcknowledgement = raw(0x4, flags: 0x1, stream: 0)
    static let ping = raw(0x6, stream: 0, [1, 2, 3, 4, 5, 6, 7, 8])

    static func goAway(last: Int32 = 0, code: UInt32 = 0) -> [UInt8] {
        raw(0x7, stream: 0, bigEndian(UInt32(bitPattern: last)) + bigEndian(code))
    }

    static func windowUpdate(_ stream: Int32, _ increment: UInt32) -> [UInt8] {
        raw(0x8, stream: stream, bigEndian(increment))
    }

    static func continuation(_ stream: Int32, _ block: [UInt8], end: Bool) -> [UInt8] {
        raw(0x9, flags: end ? 0x4 : 0, stream: stream, block)
    }

    /// A field block of literals that are never indexed (RFC 7541 §6.2.2), so that each stands for itself.
    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0x00] + string(Array($0.0.utf8)) + string(Array($0.1.utf8)) }
    }

    private static func string(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var length: [UInt8] = [127]
        var rest = bytes.count - 127
        while rest >= 128 {
            length.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    static func bigEndian(_ number: UInt32) -> [UInt8] {
        [UInt8(number >> 24), UInt8(number >> 16 & 0xff), UInt8(number >> 8 & 0xff), UInt8(number & 0xff)]
    }
}
