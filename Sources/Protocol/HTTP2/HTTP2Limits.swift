public import HTTP

/// The bounds of one HTTP/2 connection, seen from the server.
public struct HTTP2Limits: Equatable, Sendable {
    /// The most requests under way at once (SETTINGS_MAX_CONCURRENT_STREAMS).
    public var streams: UInt32
    /// The bounds of one field section, counted as in RFC 9113 §6.5.2 (32 bytes a line beside name and value).
    public var head: HeadLimits
    /// The most bytes of content in one request; 0: no limit.
    public var bodyLimit: UInt64
    /// The content in bytes that one stream may send ahead of what was taken from it.
    public var streamWindow: Int32
    /// The content in bytes that all streams together may send ahead; not below ``streamWindow``, so that one stalled
    /// stream leaves room for others, nor below 65,535, where every connection starts.
    public var connectionWindow: Int32
    /// A stream is ``HTTP2ServerConnection/Event/writable(stream:)`` when fewer unframed bytes than this are left.
    public var sendLowMark: Int
    /// Whether clients may ask for other protocols by an extended CONNECT (RFC 8441).
    public var extendedConnect: Bool
    /// What the peer may do that costs more than it brings.
    public var abuse: HTTP2AbuseLimits

    /// Makes bounds; the defaults are those of the gateway's configuration.
    public init(
        streams: UInt32 = 128, head: HeadLimits = HeadLimits(bytes: 32 << 10, count: 100), bodyLimit: UInt64 = 0,
        streamWindow: Int32 = 256 << 10, connectionWindow: Int32 = 1 << 20, sendLowMark: Int = 32 << 10,
        extendedConnect: Bool = false, abuse: HTTP2AbuseLimits = HTTP2AbuseLimits()
    ) {
        self.streams = streams
        self.head = head
        self.bodyLimit = bodyLimit
        self.streamWindow = streamWindow
        self.connectionWindow = connectionWindow
        self.sendLowMark = sendLowMark
        self.extendedConnect = extendedConnect
        self.abuse = abuse
    }

    /// How the session is opened.
    var sessionOptions: SessionOptions {
        SessionOptions(
            isServer: true, head: head, streamWindow: streamWindow, connectionWindow: connectionWindow,
            sendLowMark: sendLowMark, abuse: abuse,
            own: [
                (.maximumConcurrentStreams, streams),
                // RFC 9218 §2.1: no dependency trees to keep for the peer.
                (.noPriorities, 1),
            ] + (extendedConnect ? [(.enableConnectProtocol, 1)] : []))
    }
}
