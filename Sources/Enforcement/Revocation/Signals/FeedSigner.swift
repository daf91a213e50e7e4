public import Cryptography
public import Tokens

/// Who signs what a feed brings: its name, its keys, and how it may sign.
public struct FeedSigner: Sendable {
    /// What `iss` must be, byte for byte.
    public let issuer: String
    /// Its public keys; none where they have not been fetched yet.
    public let keys: KeySet
    /// The algorithms that it may sign with.
    public let algorithms: Set<SignatureAlgorithm>

    /// Makes a signer.
    public init(issuer: String, keys: KeySet, algorithms: Set<SignatureAlgorithm>) {
        self.issuer = issuer
        self.keys = keys
        self.algorithms = algorithms
    }
}
