import Bytes
import Cryptography
import Exchange

/// What a call has moved so far: the makings of its last record.
struct CallTally {
    /// The status that the client was sent; 0 where none could be yet.
    var status: UInt16 = 0
    /// Content bytes from the client.
    private(set) var bytesIn: UInt64 = 0
    /// Content bytes to the client.
    private(set) var bytesOut: UInt64 = 0
    /// Bytes both ways that were not charged to a limit yet.
    private(set) var uncharged: UInt64 = 0
    /// Digests of the content, made where there is any and kept for the next call.
    private var requestDigest: SHA256Stream?
    private var responseDigest: SHA256Stream?
    /// Room in the log that the last record needs; 0 where there is none to come.
    var reserved = 0

    /// Forgets a call.
    mutating func reset() {
        status = 0
        bytesIn = 0
        bytesOut = 0
        uncharged = 0
        reserved = 0
    }

    /// Counts content from the client.
    mutating func receive(_ bytes: Span<UInt8>, _ engine: CryptographicEngine) {
        bytesIn += UInt64(bytes.count)
        uncharged += UInt64(bytes.count)
        digest(bytes, into: &requestDigest, engine)
    }

    /// Counts content to the client.
    mutating func send(_ bytes: Span<UInt8>, _ engine: CryptographicEngine) {
        bytesOut += UInt64(bytes.count)
        uncharged += UInt64(bytes.count)
        digest(bytes, into: &responseDigest, engine)
    }

    /// Takes what is to be charged now: while a call goes on, only once it is worth it.
    mutating func takeCharge(isOver: Bool) -> UInt64 {
        guard isOver || uncharged >= 256 << 10 else { return 0 }
        defer { uncharged = 0 }
        return uncharged
    }

    private func digest(_ bytes: Span<UInt8>, into stream: inout SHA256Stream?, _ engine: CryptographicEngine) {
        // Only what an allowed call moves is recorded.
        guard reserved > 0 else { return }
        let hash = stream ?? engine.makeSHA256()
        stream = hash
        hash.update(bytes)
    }

    /// How the call ended; to be asked once.
    func completion(_ duration: Interval, _ reason: String?, emptyDigest: Digest256) -> Completion {
        Completion(
            status: status, bytesIn: bytesIn, bytesOut: bytesOut,
            requestDigest: bytesIn > 0 ? requestDigest?.finish() ?? emptyDigest : emptyDigest,
            responseDigest: bytesOut > 0 ? responseDigest?.finish() ?? emptyDigest : emptyDigest,
            duration: duration, reason: reason)
    }
}
