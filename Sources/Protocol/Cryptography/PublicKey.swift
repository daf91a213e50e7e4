public import Bytes
import COpenSSL

/// A public key that has been checked: its numbers are admissible, its point lies on its curve.
///
/// It is immutable, so threads may share it: OpenSSL only reads a key that came from `EVP_PKEY_fromdata`, and counts
/// its owners atomically.
@safe
public final class PublicKey: Sendable, Equatable {
    /// What sort of key it is, and how large.
    public enum Kind: Equatable, Sendable {
        /// For ECDSA.
        case ellipticCurve(EllipticCurve)
        /// For RSASSA; the length of the modulus in bits.
        case rsa(bits: Int)
        /// For EdDSA.
        case ed25519
    }

    /// What sort of key it is, and how large.
    public let kind: Kind
    /// The SHA-256 of the key's required JWK members (RFC 7638 §3, RFC 8037 §2).
    public let thumbprint: Digest256

    // The pointer never changes, and what it points to is only read.
    private nonisolated(unsafe) let handle: OpaquePointer

    init(_ components: KeyComponents) throws(KeyError) {
        try components.validate()
        kind = components.kind
        thumbprint = try Self.thumbprint(of: components)
        unsafe handle = try components.importPublicKey()
    }

    deinit {
        unsafe EVP_PKEY_free(handle)
    }

    /// Makes a key from the coordinates of a point, each exactly as long as the curve's field (RFC 7518 §6.2.1).
    public static func ellipticCurve(
        _ curve: EllipticCurve, x: Span<UInt8>, y: Span<UInt8>
    ) throws(KeyError) -> PublicKey {
        try PublicKey(.ellipticCurve(curve, x: Array(copying: x), y: Array(copying: y)))
    }

    /// Makes a key from a big-endian modulus and exponent without leading zeros (RFC 7518 §6.3.1).
    ///
    /// The modulus has 2048 to 8192 bits; the exponent is odd, at least 3 and at most 64 bits long.
    public static func rsa(modulus: Span<UInt8>, exponent: Span<UInt8>) throws(KeyError) -> PublicKey {
        try PublicKey(.rsa(modulus: Array(copying: modulus), exponent: Array(copying: exponent)))
    }

    /// Makes a key from the 32 bytes of an Ed25519 public key (RFC 8032 §5.1.5), which must not be of small order.
    ///
    /// Whether the bytes are those of a point at all shows only in use: under other bytes no signature verifies.
    public static func ed25519(_ x: Span<UInt8>) throws(KeyError) -> PublicKey {
        try PublicKey(.ed25519(Array(copying: x)))
    }

    /// Whether a signature by this key may use `algorithm`: kind and curve agree (RFC 8725 §3.1).
    public func accepts(_ algorithm: SignatureAlgorithm) -> Bool {
        switch (algorithm.scheme, kind) {
        case (.ecdsa(let demanded, _), .ellipticCurve(let curve)): demanded == curve
        case (.eddsa, .ed25519): true
        case (.pss, .rsa), (.pkcs1, .rsa): true
        default: false
        }
    }

    /// Whether both are the same key.
    public static func == (left: PublicKey, right: PublicKey) -> Bool {
        left === right || left.thumbprint == right.thumbprint
    }

    func withHandle<R>(_ body: (OpaquePointer) -> R) -> R {
        unsafe body(handle)
    }

    private static func thumbprint(of components: KeyComponents) throws(KeyError) -> Digest256 {
        guard let digest = try? MessageDigest(.sha256) else { throw .library }
        return digest.digest256("{\(components.requiredMembers)}".utf8.span)
    }
}
