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

extension FeedSigner {
    /// Verifies the signature of a token of one type; nothing where it is of another.
    func authenticate(
        _ compact: Span<UInt8>, type: StaticString, engine: CryptographicEngine
    ) throws(JWSError) -> CompactJWS? {
        let jws = try CompactJWS(compact)
        let header = try JOSEHeader(json: jws.header.span)
        guard header.isTyped(type) else { return nil }
        let key = try keys.key(for: header, among: algorithms)
        try jws.verify(compact, by: key.publicKey, with: header.algorithm, engine: engine)
        return jws
    }
}
