/// What an upstream speaks.
public enum UpstreamProtocol: String, CaseIterable, Sendable {
    /// HTTP/1.1 (RFC 9112).
    case http11 = "http/1.1"
    /// HTTP/2 (RFC 9113): over TLS by ALPN, in plain text by prior knowledge.
    case h2
}
