/// One place where an upstream service can be reached.
public enum UpstreamTarget: Hashable, Sendable, CustomStringConvertible {
    /// In plain HTTP: a host (a name or an IP address, IPv6 without brackets) and a TCP port.
    case tcp(host: String, port: UInt16)
    /// The same for HTTP/2 by prior knowledge (RFC 9113 §3.3).
    case h2c(host: String, port: UInt16)
    /// Over TLS: a host and a TCP port.
    case tls(host: String, port: UInt16)
    /// In plain HTTP: the path of a Unix socket.
    case unix(path: String)

    /// Reads `http://host`, `https://host` or `h2c://host`, each with or without `:port`, or `unix:PATH`; or nothing.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            guard case .unix(let path) = ListenAddress(text) else { return nil }
            self = .unix(path: path)
        } else if let parts = Self.parts(of: text, behind: "http://") {
            self = .tcp(host: parts.host, port: parts.port ?? 80)
        } else if let parts = Self.parts(of: text, behind: "h2c://") {
            self = .h2c(host: parts.host, port: parts.port ?? 80)
        } else if let parts = Self.parts(of: text, behind: "https://") {
            self = .tls(host: parts.host, port: parts.port ?? 443)
        } else {
            return nil
        }
    }

    private static func parts(of text: String, behind prefix: String) -> HostPort? {
        text.hasPrefix(prefix) ? HostPort(String(text.dropFirst(prefix.count))) : nil
    }

    /// The scheme as written: `http`, `h2c`, `https` or `unix`.
    public var scheme: String {
        switch self {
        case .tcp: "http"
        case .h2c: "h2c"
        case .tls: "https"
        case .unix: "unix"
        }
    }

    /// Whether connections to it are over TLS.
    public var isSecure: Bool {
        if case .tls = self { true } else { false }
    }

    /// The host and the port, or nothing for a Unix socket.
    public var authority: (host: String, port: UInt16)? {
        switch self {
        case .tcp(let host, let port), .h2c(let host, let port), .tls(let host, let port): (host, port)
        case .unix: nil
        }
    }

    /// The text that the target is read from, the port always written.
    public var description: String {
        switch self {
        case .tcp(let host, let port), .h2c(let host, let port), .tls(let host, let port):
            host.contains(":") ? "\(scheme)://[\(host)]:\(port)" : "\(scheme)://\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The target with the path of a Unix socket taken as relative to `directory`.
    func resolved(in directory: FilePlace) -> UpstreamTarget {
        switch self {
        case .tcp, .h2c, .tls: self
        case .unix(let path): .unix(path: directory.resolve(path))
        }
    }
}
