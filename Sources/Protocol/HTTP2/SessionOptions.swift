import HTTP

/// How a session of the framing library is opened: what both sides' limits come down to.
struct SessionOptions {
    /// The parameters of ours that the peer learns of (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1).
    enum Setting: UInt16 {
        case enablePush = 0x2
        case maximumConcurrentStreams = 0x3
        case initialWindowSize = 0x4
        case maximumHeaderListSize = 0x6
        case enableConnectProtocol = 0x8
        case noPriorities = 0x9
    }

    let isServer: Bool
    let head: HeadLimits
    let streamWindow: Int32
    let connectionWindow: Int32
    let sendLowMark: Int
    let abuse: HTTP2AbuseLimits
    /// What only this side announces.
    let own: [(Setting, UInt32)]

    /// What is announced.
    var settings: [(Setting, UInt32)] {
        own + [(.initialWindowSize, UInt32(streamWindow)), (.maximumHeaderListSize, UInt32(head.bytes))]
    }

    /// Whether the bounds can be announced and kept.
    var areConsistent: Bool {
        head.bytes > 0 && head.bytes <= Int(UInt32.max) && head.count > 0 && streamWindow > 0
            && connectionWindow >= max(streamWindow, 65_535) && sendLowMark > 0
    }
}
