/// Why a key was refused, or why it would not sign.
public enum KeyError: Error, Equatable, Sendable {
    /// The key is encrypted: no passphrase is ever asked for.
    case encrypted
    /// OpenSSL failed for a reason that does not lie in the input, such as memory.
    case library
    /// The encoding is wrong: a length, a leading zero, an even exponent, no PEM.
    case malformed
    /// The point does not lie on its curve.
    case notOnCurve
    /// The key and the algorithm do not belong together.
    case unsuitable
    /// The kind of key, its curve or its size is not one that is supported.
    case unsupported
    /// The key is too small to protect anything, or of small order.
    case weak
}
