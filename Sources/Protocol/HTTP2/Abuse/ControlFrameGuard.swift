import Bytes

/// Bounds the frames that move nothing, in proportion to the content that does move (CVE-2019-9512, 9513, 9515, 9517).
///
/// Each PING and SETTINGS is answered, a SETTINGS may touch every stream, and windows opened byte by byte make DATA frames
/// of one byte. Honest peers send a few of them for each frame of content.
struct ControlFrameGuard: Equatable {
    /// The content that grants one more control frame, in bytes: small beside what peers acknowledge at a time.
    static let bytesPerGrant = 1024

    private var bucket: TokenBucket
    private var ungranted = 0

    init(_ allowance: HTTP2Allowance) {
        bucket = TokenBucket(allowance)
    }

    mutating func advance(to now: MonotonicTime) {
        bucket.advance(to: now)
    }

    /// A PING, PRIORITY, RST_STREAM, WINDOW_UPDATE, GOAWAY or unknown frame came; false: once too often.
    mutating func controlFrame() -> Bool {
        bucket.spend()
    }

    /// A SETTINGS came; false: once too often.
    mutating func settings() -> Bool {
        bucket.spend(10)
    }

    /// A field block of `bytes`, or a part of one, was decompressed for a stream that is gone; false: once too often.
    mutating func ignoredBlock(_ bytes: Int) -> Bool {
        bucket.spend(1 + bytes / 256)
    }

    /// An exchange was completed: worth a few acknowledgements.
    mutating func exchangeCompleted() {
        bucket.refund(4)
    }

    /// So many bytes of content moved, either way.
    mutating func contentMoved(_ bytes: Int) {
        ungranted += bytes
        bucket.refund(ungranted / Self.bytesPerGrant)
        ungranted %= Self.bytesPerGrant
    }
}
