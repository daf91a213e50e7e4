import Bytes

/// The scheme and authority that a gateway's public URIs begin with, ready to be compared (RFC 3986 §6.2).
///
/// It comes from the configuration, never from a header: what a proof is for must not be what a request says that it is.
public struct TargetOrigin: Hashable, Sendable {
    /// The scheme in lower case: `https` or `http`.
    public let scheme: String
    /// The host in lower case; an IPv6 address in brackets.
    public let host: String
    /// The port, the scheme's default one where none was written.
    public let port: UInt16

    /// Reads `scheme://host` or `scheme://host:port`, with nothing behind it, or nothing.
    public init?(_ text: String) {
        let bytes = text.utf8.span
        guard let parts = URIParts(bytes), parts.path.isEmpty, parts.end == bytes.count else { return nil }
        guard let port = parts.port(in: bytes), let host = parts.normalizedHost(in: bytes),
            let name = String(validating: host.span)
        else { return nil }
        scheme = parts.isSecure ? "https" : "http"
        self.host = name
        self.port = port
    }
}
