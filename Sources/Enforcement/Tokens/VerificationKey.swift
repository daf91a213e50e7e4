public import Cryptography

/// A public key of an issuer, with the one algorithm that it may be used with (RFC 8725bis §3.1).
public struct VerificationKey: Sendable {
    /// The key.
    public let publicKey: PublicKey
    /// Its identifier within the key set.
    public let keyID: String?
    /// The algorithm that its publisher named, if any.
    public let algorithm: SignatureAlgorithm?

    /// Whether a signature by `algorithm`, which is in `allowed`, may be verified with this key.
    ///
    /// A key that names an algorithm is for that one only, compared by name: `EdDSA` is not `Ed25519`. One that names none is
    /// for what its type leaves no choice about: an elliptic-curve key has one algorithm, an Ed25519 key one under two names. An
    /// RSA key would have six: it serves only where exactly one RSA algorithm is allowed.
    public func serves(_ algorithm: SignatureAlgorithm, among allowed: Set<SignatureAlgorithm>) -> Bool {
        guard publicKey.accepts(algorithm), allowed.contains(algorithm) else { return false }
        if let own = self.algorithm { return own == algorithm }
        switch publicKey.kind {
        case .ellipticCurve, .ed25519: return true
        case .rsa: return allowed.count { publicKey.accepts($0) } == 1
        }
    }
}
