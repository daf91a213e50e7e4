public import Bytes

/// The version of HTTP that a message came in (RFC 9112 §2.3, RFC 9113).
public enum HTTPVersion: Equatable, Sendable {
    case http10, http11, http2
}

/// How the end of a message's content is found (RFC 9112 §6.3; HTTP/2: END_STREAM and `content-length`).
public enum BodyFraming: Equatable, Sendable {
    /// There is no content.
    case none
    /// Exactly that many bytes, at least one.
    case length(UInt64)
    /// Until the last chunk (HTTP/1.1) or the end of the stream (HTTP/2) without a declared length.
    case streamed
    /// Until the connection closes: answers of HTTP/1 servers only.
    case untilClose
}

/// What a request says before its content: framing already unambiguous, nothing judged yet.
///
/// It is filled by the HTTP/1 or HTTP/2 machine, which guarantees: the method is a token; the target is in one of the
/// forms below; there is one authority (of the target, `:authority` or `Host`, and where several were given they agreed
/// but for the case of letters); `Host`, `:authority`, `Content-Length` and `Transfer-Encoding` are consistent; names are lower-case
/// tokens; values hold no control characters but tab. A `host` field is not kept in ``fields``: the authority is.
public struct RequestHead: ~Copyable {
    /// The version the request came in.
    public var version = HTTPVersion.http11
    /// How the end of the content is found.
    public var framing = BodyFraming.none
    /// The method as it came: case-sensitive (RFC 9110 §9.1).
    public var method = ByteQueue()
    /// The authority without user information: `host` or `host:port` as it came; empty only in HTTP/1.0 without `Host`.
    public var authority = ByteQueue()
    /// Whether the target names `http`, without TLS, as its scheme: it is then not a resource of a listener that has TLS.
    public var namesPlainHTTP = false
    /// The path and query as they came: the origin-form of the target, or `*`.
    public var target = ByteQueue()
    /// The field lines, `host` left out.
    public var fields = FieldTable()
    /// Whether the client waits for a 100 (Continue) before it sends content (RFC 9110 §10.1.1).
    public var expectsContinue = false
    /// Whether the connection stays open after the answer, as far as the request says (RFC 9112 §9.3).
    public var keepsAlive = true
    /// The protocol to change to, in lower case: the `Upgrade` field's single token where `Connection` says so (HTTP/1.1,
    /// without content) or `:protocol` of an extended CONNECT (RFC 8441); empty where none is asked for.
    public var upgrade = ByteQueue()
    /// Whether the client says `TE: trailers` (RFC 9110 §10.1.4).
    public var acceptsTrailers = false

    /// Makes an empty head for a machine to fill.
    public init() {}

    /// Empties the head and keeps its memory.
    public mutating func removeAll() {
        version = .http11
        framing = .none
        namesPlainHTTP = false
        method.removeAll()
        authority.removeAll()
        target.removeAll()
        fields.removeAll()
        expectsContinue = false
        keepsAlive = true
        upgrade.removeAll()
        acceptsTrailers = false
    }
}
