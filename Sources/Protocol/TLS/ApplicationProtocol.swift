import Bytes

/// A protocol that is negotiated within the handshake (ALPN, RFC 7301).
public enum ApplicationProtocol: String, CaseIterable, Sendable {
    /// HTTP/2 over TLS.
    case h2
    /// HTTP/1.1.
    case http11 = "http/1.1"

    /// The length-prefixed form that the handshake carries.
    func append(to list: inout ByteQueue) {
        list.append(UInt8(rawValue.utf8.count))
        list.append(utf8: rawValue)
    }
}

/// A version of TLS that may be the lowest allowed.
public enum TLSVersion: String, CaseIterable, Sendable {
    /// RFC 5246, with AEAD suites and forward secrecy only.
    case v12 = "1.2"
    /// RFC 8446.
    case v13 = "1.3"
}
