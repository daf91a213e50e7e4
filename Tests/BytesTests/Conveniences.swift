import Bytes

// Swift Testing's macros cannot take spans apart, so the tests call with owned values.

extension Base64URL {
    static func decode(text: String) -> [UInt8]? { decode(text.utf8.span) }
    static func encode(bytes: [UInt8]) -> String { encode(bytes.span) }
}

extension Hexadecimal {
    static func decode(text: String) -> [UInt8]? { decode(text.utf8.span) }
    static func encode(bytes: [UInt8]) -> String { encode(bytes.span) }
}

extension Digest256 {
    init?(hexadecimalText text: String) { self.init(hexadecimal: text.utf8.span) }
    init?(base64URLText text: String) { self.init(base64URL: text.utf8.span) }
    init?(bytes: [UInt8]) { self.init(bytes.span) }
}

extension String {
    init?(validatingBytes bytes: [UInt8]) { self.init(validating: bytes.span) }
}
