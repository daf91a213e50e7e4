import Bytes

/// Bounds how many requests a peer may cancel beside those it lets finish (CVE-2023-44487).
///
/// A cancelled request has cost a verification and an upstream call and frees its place at once, so the limit of
/// concurrent streams does not hold it. Honest clients cancel too: what completes grants as much again.
struct RapidResetGuard: Equatable {
    private var bucket: TokenBucket

    init(_ allowance: HTTP2Allowance) {
        bucket = TokenBucket(allowance)
    }

    mutating func advance(to now: MonotonicTime) {
        bucket.advance(to: now)
    }

    /// The peer reset an open stream; false: once too often.
    mutating func peerReset() -> Bool {
        bucket.spend()
    }

    /// An answer was sent whole.
    mutating func exchangeCompleted() {
        bucket.refund()
    }
}
