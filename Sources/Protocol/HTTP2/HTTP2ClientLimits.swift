public import HTTP

/// The bounds of one HTTP/2 connection to an upstream, seen from the client.
public struct HTTP2ClientLimits: Equatable, Sendable {
    /// The most exchanges under way at once; the upstream may allow fewer.
    public var streams: Int
    /// The bounds of one field section of the upstream's, counted as in RFC 9113 §6.5.2; all interim answers to one
    /// request together may take ``HeadLimits/bytes`` too.
    public var head: HeadLimits
    /// The content in bytes that one stream may send ahead of what was taken from it.
    public var streamWindow: Int32
    /// The content in bytes that all streams together may send ahead; not below ``streamWindow``, so that one stalled
    /// stream leaves room for others, nor below 65,535, where every connection starts.
    public var connectionWindow: Int32
    /// A stream is ``HTTP2ClientConnection/Event/writable(stream:)`` when fewer unframed bytes than this are left.
    public var sendLowMark: Int
    /// What the upstream may do that costs more than it brings.
    public var abuse: HTTP2AbuseLimits

    /// Makes bounds.
    public init(
        streams: Int = 100, head: HeadLimits = HeadLimits(bytes: 32 << 10, count: 100),
        streamWindow: Int32 = 256 << 10, connectionWindow: Int32 = 1 << 20, sendLowMark: Int = 32 << 10,
        abuse: HTTP2AbuseLimits = .ofUpstream
    ) {
        self.streams = streams
        self.head = head
        self.streamWindow = streamWindow
        self.connectionWindow = connectionWindow
        self.sendLowMark = sendLowMark
        self.abuse = abuse
    }

    /// How the session is opened.
    var sessionOptions: SessionOptions {
        SessionOptions(
            isServer: false, head: head, streamWindow: streamWindow, connectionWindow: connectionWindow,
            sendLowMark: sendLowMark, abuse: abuse,
            own: [(.enablePush, 0)])
    }
}
