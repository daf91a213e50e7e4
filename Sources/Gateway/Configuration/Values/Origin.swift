import Bytes

/// A public origin of a listener (RFC 6454): what the URLs of its clients begin with.
public struct Origin: Hashable, Sendable, CustomStringConvertible {
    /// Always `https`.
    public let scheme: String
    /// The host in lower case; an IPv6 address in brackets.
    public let host: String
    /// The TCP port.
    public let port: UInt16

    private static let defaultPort: UInt16 = 443

    /// Reads `https://host` or `https://host:port` with nothing behind it, or nothing.
    public init?(_ text: String) {
        let prefix = "https://"
        guard text.lowercased().hasPrefix(prefix), let parts = HostPort(String(text.dropFirst(prefix.count))) else {
            return nil
        }
        scheme = "https"
        host = parts.bracketedHost
        port = parts.port ?? Self.defaultPort
    }

    /// The serialised origin, without the port where it is the default one.
    public var description: String {
        port == Self.defaultPort ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)"
    }

    /// The host without the brackets of an IPv6 address.
    public var bareHost: String { host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host }

    /// Whether the authority of a request (RFC 9110 §7.2) names this origin.
    ///
    /// The host's case does not matter; the port may be absent where it is the default one. Any other spelling, such as
    /// a trailing dot or a port with leading zeros, is another authority.
    public func matches(authority: Span<UInt8>) -> Bool {
        let expected = host.utf8.span
        guard authority.count >= expected.count else { return false }
        for index in expected.indices where authority[index].asciiLowercased != expected[index] { return false }
        guard authority.count > expected.count else { return port == Self.defaultPort }
        return Self.port(in: authority.extracting(expected.count..<authority.count)) == UInt32(port)
    }

    /// The number in `:8443`, or nothing.
    private static func port(in text: Span<UInt8>) -> UInt32? {
        guard (2...6).contains(text.count), text[0] == UInt8(ascii: ":"), text[1] != UInt8(ascii: "0") else {
            return nil
        }
        var number: UInt32 = 0
        for index in 1..<text.count {
            let digit = text[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + UInt32(digit)
        }
        return number
    }
}
