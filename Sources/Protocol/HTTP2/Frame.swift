/// The types of frame that have a meaning here (RFC 9113 §6).
enum FrameType: UInt8 {
    case data = 0x0
    case headers = 0x1
    case priority = 0x2
    case rstStream = 0x3
    case settings = 0x4
    case pushPromise = 0x5
    case ping = 0x6
    case goAway = 0x7
    case windowUpdate = 0x8
    case continuation = 0x9
}

/// What the header of a frame says, and a little more where the type has it.
struct Frame {
    /// Nothing: an extension.
    let type: FrameType?
    let stream: Int32
    /// END_STREAM on DATA and HEADERS.
    let endsStream: Bool
    /// DATA: bytes of content, padding left out.
    var contentLength = 0
    /// RST_STREAM and GOAWAY.
    var errorCode: UInt32 = 0
}
