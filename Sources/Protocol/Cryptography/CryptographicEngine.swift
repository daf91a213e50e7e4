public import Bytes

/// Everything that a thread needs for cryptography, fetched once: one per thread.
///
/// OpenSSL 3.0 looks an algorithm up under locks whenever it is named and counts owners across threads, so hashes and
/// contexts are kept and initialised again, and contexts that verify are kept for the keys that were used last.
public final class CryptographicEngine {
    private let sha256: MessageDigest
    private let sha384: MessageDigest
    private let sha512: MessageDigest
    /// Direct-mapped by key and algorithm: a newcomer takes the place of the one before, so there is a bound and no search.
    private var contexts: [VerificationContext?]
    private static let contextCount = 64

    /// Fetches what verification needs; throws where OpenSSL does not have it.
    public init() throws(EngineError) {
        sha256 = try MessageDigest(.sha256)
        sha384 = try MessageDigest(.sha384)
        sha512 = try MessageDigest(.sha512)
        contexts = Array(repeating: nil, count: Self.contextCount)
    }

    /// The SHA-256 of `bytes`.
    public func sha256(_ bytes: Span<UInt8>) -> Digest256 {
        sha256.digest256(bytes)
    }

    /// Makes a hash for a message that arrives in pieces; it may outlive the engine but not leave the thread.
    public func makeSHA256() -> SHA256Stream {
        SHA256Stream(sharing: sha256)
    }

    /// Whether `signature` is that of `message` under `key`: true only where it verifies, false for anything else.
    ///
    /// - Parameters:
    ///   - signature: in JOSE form and of exactly the length that key and algorithm demand: r‖s for ECDSA (RFC 7518
    ///     §3.4), as long as the modulus for RSA, 64 bytes for Ed25519.
    ///   - message: what was signed, not yet hashed.
    ///   - key: must be of the kind that `algorithm` demands.
    ///   - algorithm: the algorithm; PSS has a salt as long as its hash (RFC 7518 §3.5).
    public func verifies(
        _ signature: Span<UInt8>, of message: Span<UInt8>, by key: PublicKey, with algorithm: SignatureAlgorithm
    ) -> Bool {
        guard key.accepts(algorithm) else { return false }
        switch algorithm.scheme {
        case .ecdsa(let curve, let hash):
            guard let encoded = ECDSASignature(jose: signature, on: curve) else { return false }
            return verifies(encoded.der, ofHash: hash, of: message, by: key, with: algorithm)
        case .pss(let hash), .pkcs1(let hash):
            guard case .rsa(let bits) = key.kind, signature.count == (bits + 7) / 8 else { return false }
            return verifies(signature, ofHash: hash, of: message, by: key, with: algorithm)
        case .eddsa:
            guard signature.count == 64 else { return false }
            return LibraryErrors.contained {
                context(for: key, algorithm, digest: nil)?.verifies(signature, of: message) ?? false
            }
        }
    }

    private func verifies(
        _ signature: Span<UInt8>, ofHash hash: MessageHash, of message: Span<UInt8>, by key: PublicKey,
        with algorithm: SignatureAlgorithm
    ) -> Bool {
        let digest = digest(for: hash)
        var output: [64 of UInt8] = .init(repeating: 0)
        digest.start()
        digest.update(message)
        digest.finish(&output)
        return LibraryErrors.contained {
            guard let context = context(for: key, algorithm, digest: digest) else { return false }
            return context.verifies(signature, of: output.span.extracting(0..<digest.byteCount))
        }
    }

    private func digest(for hash: MessageHash) -> MessageDigest {
        switch hash {
        case .sha256: sha256
        case .sha384: sha384
        case .sha512: sha512
        }
    }

    /// The context that was kept for this very key, or a new one.
    ///
    /// The slot holds its key, so an address is never met again under another key.
    private func context(
        for key: PublicKey, _ algorithm: SignatureAlgorithm, digest: MessageDigest?
    ) -> VerificationContext? {
        var hasher = Hasher()
        hasher.combine(ObjectIdentifier(key))
        hasher.combine(algorithm)
        let slot = Int(truncatingIfNeeded: UInt(bitPattern: hasher.finalize()) % UInt(Self.contextCount))
        if let kept = contexts[slot], kept.key === key, kept.algorithm == algorithm { return kept }
        let fresh = VerificationContext(key: key, algorithm: algorithm, digest: digest)
        contexts[slot] = fresh
        return fresh
    }
}
