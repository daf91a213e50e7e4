import Bytes
import Glibc

/// A host and a port as an address, an origin or a target names them: `localhost:8443`, `127.0.0.1:8443`, `[::1]:8443`.
struct HostPort: Equatable {
    /// A name in lower case, an IPv4 address, or an IPv6 address without brackets.
    let host: String
    /// 1 to 65535, or nothing where the text has none.
    let port: UInt16?

    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`, or nothing.
    init?(_ text: String) {
        // Some characters beyond ASCII have letters of it as their lower case.
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            let address = text[text.index(after: text.startIndex)..<end].lowercased()
            guard Self.isIPv6(address), let port = Self.port(after: text[text.index(after: end)...]) else { return nil }
            self.init(host: address, port: port)
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            let host = text[..<end].lowercased()
            guard Self.isName(host), let port = Self.port(after: text[end...]) else { return nil }
            self.init(host: host, port: port)
        }
    }

    private init(host: String, port: UInt16?) {
        self.host = host
        self.port = port
    }

    /// The host as it stands in a URL: an IPv6 address in brackets.
    var bracketedHost: String { host.contains(":") ? "[\(host)]" : host }

    /// The port in `:8443`; a port that is absent is `.some(nil)`, one that is wrong is nothing.
    private static func port(after rest: Substring) -> UInt16?? {
        guard !rest.isEmpty else { return .some(nil) }
        guard rest.first == ":", let number = DecimalText.number(rest.dropFirst()), let port = UInt16(exactly: number),
            port > 0
        else { return nil }
        return .some(port)
    }

    /// Letters, digits, hyphens and underscores in labels of 1 to 63 characters; an all-digit last label means an IPv4
    /// address, which must be one.
    private static func isName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        for label in labels {
            guard (1...63).contains(label.utf8.count), label.first != "-", label.last != "-" else { return false }
            guard label.utf8.allSatisfy(isLabelCharacter) else { return false }
        }
        guard let last = labels.last, last.allSatisfy({ $0.isASCII && $0.isNumber }) else { return true }
        return labels.count == 4 && labels.allSatisfy { DecimalText.number($0).map { $0 <= 255 } ?? false }
    }

    private static func isLabelCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isIPv6(_ text: String) -> Bool {
        var address = in6_addr()
        return unsafe inet_pton(AF_INET6, text, &address) == 1
    }
}
