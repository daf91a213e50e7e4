public import Cryptography

/// The public key that a token shows as its bearer's own: `cnf.jwk` (RFC 7800 §3.2).
public struct BoundKey: Equatable, Sendable {
    /// The key.
    public let publicKey: PublicKey
    /// The only algorithm that it may be used with, where its `alg` names one.
    public let algorithm: SignatureAlgorithm?

    /// Makes a bound key.
    public init(publicKey: PublicKey, algorithm: SignatureAlgorithm?) {
        self.publicKey = publicKey
        self.algorithm = algorithm
    }
}
