import Bytes

/// Bounds DATA frames that carry no content and end no stream (CVE-2019-9518).
///
/// Flow control does not count them, so nothing else would.
struct EmptyFrameGuard: Equatable {
    private var bucket: TokenBucket

    init(_ allowance: HTTP2Allowance) {
        bucket = TokenBucket(allowance)
    }

    mutating func advance(to now: MonotonicTime) {
        bucket.advance(to: now)
    }

    /// Such a frame came; false: once too often.
    mutating func emptyFrame() -> Bool {
        bucket.spend()
    }
}
