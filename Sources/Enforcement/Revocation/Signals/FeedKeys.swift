public import Cryptography
public import Tokens

/// The keys that what a feed brings is verified with.
public enum FeedKeys: Sendable {
    /// Those of the issuer of its name, with the algorithms that its tokens may be signed with.
    case issuer
    /// Keys of its own, and the algorithms that they may be used with.
    case own(KeySet, algorithms: Set<SignatureAlgorithm>)
}
