import Bytes

/// Bounds how many stream errors a peer may make us answer with RST_STREAM (CVE-2025-8671, "MadeYouReset").
///
/// To the server's books such a stream is closed while its work goes on behind them, exactly as in a rapid reset, but no
/// RST_STREAM of the peer's is there to be counted: what we emit is.
struct ProvokedResetGuard: Equatable {
    private var bucket: TokenBucket

    init(_ allowance: HTTP2Allowance) {
        bucket = TokenBucket(allowance)
    }

    mutating func advance(to now: MonotonicTime) {
        bucket.advance(to: now)
    }

    /// We sent RST_STREAM for an error of the peer's; false: once too often.
    mutating func provokedReset() -> Bool {
        bucket.spend()
    }
}
