public import Cryptography

/// The public key that a token is bound to, as the token itself shows it (`cnf.jwk`, RFC 7800 §3.2).
public struct BoundKey: Equatable, Sendable {
    /// The key: public and asymmetric.
    public let publicKey: PublicKey
    /// The only algorithm that it may be used with, where the token names one; it fits the key.
    public let algorithm: SignatureAlgorithm?

    /// Makes a bound key.
    public init(publicKey: PublicKey, algorithm: SignatureAlgorithm?) {
        self.publicKey = publicKey
        self.algorithm = algorithm
    }

    /// Whether a proof by this key may be signed with `algorithm`.
    public func serves(_ algorithm: SignatureAlgorithm) -> Bool {
        publicKey.accepts(algorithm) && (self.algorithm ?? algorithm) == algorithm
    }
}
