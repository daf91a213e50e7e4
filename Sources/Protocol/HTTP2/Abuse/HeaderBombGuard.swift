import Bytes

/// Bounds the field blocks that are so far over the limit that they are given up (CVE-2016-6581, RFC 7541 §7.3).
///
/// A block is small on the wire and large when it is read. What is behind the point where it was given up must still be
/// decompressed, because later blocks build on it: a few times that is a mistake, then it is a bomb.
struct HeaderBombGuard: Equatable {
    private var bucket: TokenBucket

    init(_ allowance: HTTP2Allowance) {
        bucket = TokenBucket(allowance)
    }

    mutating func advance(to now: MonotonicTime) {
        bucket.advance(to: now)
    }

    /// A block was given up; false: once too often.
    mutating func blockGivenUp() -> Bool {
        bucket.spend()
    }
}
