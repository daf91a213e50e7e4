/// One place where an upstream service can be reached, in plain HTTP.
public enum UpstreamTarget: Hashable, Sendable, CustomStringConvertible {
    /// A host (a name or an IP address, IPv6 without brackets) and a TCP port.
    case tcp(host: String, port: UInt16)
    /// The path of a Unix socket.
    case unix(path: String)

    /// Reads `http://host`, `http://host:port` or `unix:PATH`, or nothing.
    public init?(_ text: String) {
        if case .unix(let path) = ListenAddress(text) {
            self = .unix(path: path)
        } else {
            let prefix = "http://"
            guard text.hasPrefix(prefix), let parts = HostPort(String(text.dropFirst(prefix.count))) else { return nil }
            self = .tcp(host: parts.host, port: parts.port ?? 80)
        }
    }

    /// The text that the target is read from, the port always written.
    public var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// The target with the path of a Unix socket taken as relative to `directory`.
    func resolved(in directory: FilePlace) -> UpstreamTarget {
        switch self {
        case .tcp: self
        case .unix(let path): .unix(path: directory.resolve(path))
        }
    }
}
