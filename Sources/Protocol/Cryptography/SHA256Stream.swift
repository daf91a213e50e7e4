public import Bytes

/// The SHA-256 of a message that arrives in pieces; used again and again by one thread.
public final class SHA256Stream {
    private let digest: MessageDigest

    init(sharing other: MessageDigest) {
        digest = MessageDigest(sharing: other)
        digest.start()
    }

    /// Hashes the next piece.
    public func update(_ bytes: Span<UInt8>) {
        digest.update(bytes)
    }

    /// The digest of all pieces since the last one; the next piece begins a new message.
    public func finish() -> Digest256 {
        let result = digest.finish256()
        digest.start()
        return result
    }
}
