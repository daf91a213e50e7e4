public import Bytes
public import Cryptography
import JSON
import Tokens

/// Evidence that whoever makes a request holds the key that its access token is bound to (RFC 9449 §7).
///
/// Only ``DPoPVerifier`` can make it. It does not say that the proof is used for the first time, nor that its nonce is ours:
/// ``ReplayTable`` and ``Nonces`` say that.
public struct VerifiedProof: ~Copyable {
    /// The thumbprint of the key that signed it (RFC 7638), which is the token's `cnf.jkt`.
    public let keyThumbprint: Digest256
    /// What tells it from every other proof: the SHA-256 of the thumbprint's 32 bytes and the `jti`.
    ///
    /// Neither URI nor method is in it: a proof is used once, wherever.
    public let identifier: Digest256
    /// When it was made, by the client's clock.
    public let issuedAt: UnixTime
    /// The last moment at which it is accepted, and so the last at which it must be remembered.
    public let expiresAt: UnixTime
    /// The nonce that it repeats, if it does.
    public let nonce: [UInt8]?

    fileprivate init(
        keyThumbprint: Digest256, identifier: Digest256, issuedAt: UnixTime, expiresAt: UnixTime, nonce: [UInt8]?
    ) {
        self.keyThumbprint = keyThumbprint
        self.identifier = identifier
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.nonce = nonce
    }
}

/// Verifies DPoP proofs, and remembers the keys that made them: one per worker.
///
/// The rules are those of RFC 9449 §4.3 with RFC 8725 and its revision. All that is cheap is checked first and the signature last, so
/// that a proof for another call costs next to nothing.
public final class DPoPVerifier {
    private let engine: CryptographicEngine
    private var keys: ProofKeyCache

    /// Makes a verifier.
    ///
    /// - Parameters:
    ///   - engine: the thread's.
    ///   - keyCapacity: how many proof keys to remember, rounded up to a power of two; 0: none. Each takes about a kilobyte.
    public init(engine: CryptographicEngine, keyCapacity: Int = 1024) {
        self.engine = engine
        keys = ProofKeyCache(capacity: keyCapacity)
    }

    /// The number of keys that it remembers.
    public var cachedKeyCount: Int { keys.count }

    /// Verifies the proof of one request.
    ///
    /// - Parameters:
    ///   - compact: the value of the request's only `DPoP` field, of a size that the caller has checked.
    ///   - expectation: the call that it must be for.
    ///   - policy: what the operator demands.
    ///   - now: the time.
    public func verify(
        _ compact: Span<UInt8>, for expectation: DPoPExpectation, under policy: DPoPPolicy, now: UnixTime
    ) throws(DPoPRejection) -> VerifiedProof {
        let proof = try DPoPProof(compact)
        let algorithm = try proof.header().algorithm
        guard policy.algorithms.contains(algorithm) else { throw .jws(.algorithm) }
        try Self.checkTarget(of: proof, expectation)
        let issuedAt = try Self.issuedAt(of: proof, policy, now: now)
        let nonce = try proof.claims.nonce()
        _ = try proof.claims.identifier()
        try checkToken(of: proof, expectation)
        let key = try verifySignature(of: proof, compact, with: algorithm, expectation)
        return VerifiedProof(
            keyThumbprint: key.thumbprint, identifier: try identifier(of: proof, by: key), issuedAt: issuedAt,
            expiresAt: issuedAt + policy.acceptWindow, nonce: nonce)
    }

    /// Steps 8 and 9: the method byte for byte, the URI in normal form.
    private static func checkTarget(
        of proof: borrowing DPoPProof, _ expectation: DPoPExpectation
    ) throws(DPoPRejection) {
        guard try proof.claims.text(.method).equals(expectation.method) else { throw .method }
        let uri = try proof.claims.text(.uri)
        guard TargetURI.matches(uri, origins: expectation.origins, path: expectation.path) else { throw .uri }
    }

    /// Step 11: made lately.
    ///
    /// `exp` and `nbf`, which a proof need not have, are honoured with the same allowance for its clock.
    private static func issuedAt(
        of proof: borrowing DPoPProof, _ policy: DPoPPolicy, now: UnixTime
    ) throws(DPoPRejection) -> UnixTime {
        let issuedAt = try proof.claims.time(.issuedAt)
        guard issuedAt <= now + policy.futureSkew else { throw .future }
        guard now <= issuedAt + policy.acceptWindow else { throw .past }
        if let expiry = try proof.claims.timeIfPresent(.expiry), now >= expiry + policy.futureSkew { throw .expired }
        if let notBefore = try proof.claims.timeIfPresent(.notBefore), now + policy.futureSkew < notBefore {
            throw .notYetValid
        }
        return issuedAt
    }

    /// Step 12, first half: made for this very token.
    private func checkToken(
        of proof: borrowing DPoPProof, _ expectation: DPoPExpectation
    ) throws(DPoPRejection) {
        let text = try proof.claims.text(.accessTokenHash)
        guard let hash = Digest256(base64URL: text) else { throw .invalid(.accessTokenHash) }
        guard hash == engine.sha256(expectation.token) else { throw .token }
    }

    /// Steps 5 to 7 and the second half of step 12: signed by the key in the header, which the token is bound to.
    private func verifySignature(
        of proof: borrowing DPoPProof, _ compact: Span<UInt8>, with algorithm: SignatureAlgorithm,
        _ expectation: DPoPExpectation
    ) throws(DPoPRejection) -> PublicKey {
        guard let jwk = proof.jwk else { throw .key }
        let hash = ProofKeyCache.hash(of: jwk.raw)
        let known = keys.key(jwk.raw, hash: hash)
        let key = if let known { known } else { try ProofKey(jwk, hash: hash) }
        guard key.serves(algorithm) else { throw .jws(.keyAlgorithm) }
        guard key.publicKey.thumbprint == expectation.boundKey else { throw .keyBinding }
        do throws(JWSError) {
            try proof.jws.verify(compact, by: key.publicKey, with: algorithm, engine: engine)
        } catch {
            throw .jws(error)
        }
        if known == nil { keys.insert(key) }
        return key.publicKey
    }

    private func identifier(
        of proof: borrowing DPoPProof, by key: PublicKey
    ) throws(DPoPRejection) -> Digest256 {
        let identifier = try proof.claims.identifier()
        let length = Digest256.byteCount + identifier.count
        var input: [288 of UInt8] = .init(repeating: 0)
        let thumbprint = key.thumbprint.bytes
        for index in thumbprint.indices { input[index] = thumbprint[index] }
        for index in identifier.indices { input[Digest256.byteCount + index] = identifier[index] }
        return engine.sha256(input.span.extracting(0..<length))
    }
}
