import Bytes

/// The URL of something that the gateway calls: where an issuer publishes its keys, or says whether a token is valid.
struct EndpointURL: Equatable {
    /// The URL as written.
    let text: String
    /// Whether it is `http`: whoever is on the way can read and change what is sent.
    let isPlain: Bool

    /// Reads `https://host[:port]/path`, or the same with `http`; nothing where there is user information or a fragment, or
    /// a character that no URL may hold (RFC 3986 §2).
    init?(_ text: String) {
        let schemes = [(prefix: "https://", isPlain: false), (prefix: "http://", isPlain: true)]
        guard let scheme = schemes.first(where: { text.hasPrefix($0.prefix) }) else { return nil }
        let rest = text.dropFirst(scheme.prefix.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard HostPort(String(authority)) != nil else { return nil }
        guard rest.utf8.dropFirst(authority.utf8.count).allSatisfy(Self.isAllowed) else { return nil }
        self.text = text
        isPlain = scheme.isPlain
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "#"), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"),
            UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            false
        default: byte > 0x20 && byte < 0x7F
        }
    }
}
