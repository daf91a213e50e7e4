/// Where a socket listens.
public enum ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// A host (a name or an IP address, IPv6 without brackets) and a TCP port.
    case ip(host: String, port: UInt16)
    /// The path of a Unix socket.
    case unix(path: String)

    /// Reads `host:port`, `[v6]:port` or `unix:PATH`, or nothing.
    public init?(_ text: String) {
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst("unix:".count))
            // sun_path holds 107 bytes and a NUL.
            guard !path.isEmpty, path.utf8.count <= 107, !path.utf8.contains(0) else { return nil }
            self = .unix(path: path)
        } else {
            guard let parts = HostPort(text), let port = parts.port else { return nil }
            self = .ip(host: parts.host, port: port)
        }
    }

    /// The text that the address is read from.
    public var description: String {
        switch self {
        case .ip(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }

    /// Whether only processes of this machine can reach the address.
    public var isLocal: Bool {
        switch self {
        case .ip(let host, _): host == "localhost" || host == "::1" || host.hasPrefix("127.")
        case .unix: true
        }
    }

    /// The address with the path of a Unix socket taken as relative to `directory`.
    func resolved(in directory: FilePlace) -> ListenAddress {
        switch self {
        case .ip: self
        case .unix(let path): .unix(path: directory.resolve(path))
        }
    }
}
