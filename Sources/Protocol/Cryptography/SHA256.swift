public import Bytes

/// SHA-256 of short values on cold paths, where no ``CryptographicEngine`` is at hand.
public enum SHA256 {
    /// The digest of `bytes`.
    ///
    /// OpenSSL always has this function, and it does not fail; should it, there is no safe answer, so the process stops.
    public static func digest(of bytes: Span<UInt8>) -> Digest256 {
        guard let function = try? MessageDigest(.sha256) else { preconditionFailure("SHA-256 is missing") }
        return function.digest256(bytes)
    }
}
