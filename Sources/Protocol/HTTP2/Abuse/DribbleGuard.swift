/// Bounds the slivers that content must be cut into because the peer opens its windows by a few bytes (CVE-2019-9511).
///
/// Each costs a frame and a write, and a peer that takes a byte now and then makes progress for ever while it pins what is
/// left. Time grants nothing here: only content that moves does, so that a window that divides badly is not held against
/// an honest peer.
struct DribbleGuard: Equatable {
    /// A frame of fewer bytes, while more wait, is a sliver.
    static let sliver = 256
    /// The content that grants one more sliver, in bytes.
    static let bytesPerGrant = 4096

    private var bucket: TokenBucket
    private var ungranted = 0

    init(slivers: Int) {
        bucket = TokenBucket(HTTP2Allowance(burst: slivers, perSecond: 0))
    }

    /// A frame of `count` bytes goes while `waiting` more do not fit the peer's windows; false: one sliver too many.
    mutating func contentFramed(_ count: Int, waiting: Int) -> Bool {
        ungranted += count
        bucket.refund(ungranted / Self.bytesPerGrant)
        ungranted %= Self.bytesPerGrant
        return count >= Self.sliver || waiting == 0 || bucket.spend()
    }
}
