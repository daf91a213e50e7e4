public import Bytes
public import Cryptography
import Tokens

/// Evidence that whoever makes a request holds the key that its Workload Identity Token is bound to.
///
/// Only ``WPTVerifier`` can make it. It does not say that the proof is used for the first time: ``ReplayTable`` says that.
public struct VerifiedWorkloadProof: ~Copyable {
    /// The thumbprint of the key that signed it (RFC 7638): that of the workload token's `cnf.jwk`.
    public let keyThumbprint: Digest256
    /// What tells it from every other proof: the SHA-256 of `wpt`, a zero byte, the thumbprint's 32 bytes and the `jti`.
    ///
    /// So a DPoP proof by the same key may bear the same `jti`: it is another proof.
    public let identifier: Digest256
    /// The last moment at which it is accepted, and so the last at which it must be remembered.
    public let expiresAt: UnixTime
    /// When it ends by its own account: whatever allowance is made for the client's clock.
    public let endsAt: UnixTime
    /// When it was made, by the client's clock, if it says so.
    public let issuedAt: UnixTime?

    fileprivate init(keyThumbprint: Digest256, identifier: Digest256, life: WPTVerifier.Life) {
        self.keyThumbprint = keyThumbprint
        self.identifier = identifier
        expiresAt = life.end
        endsAt = life.writtenEnd
        issuedAt = life.issuedAt
    }
}

/// Verifies Workload Proof Tokens: one per worker.
///
/// The rules are those of draft-ietf-wimse-wpt §2 with RFC 8725 and its revision. All that is cheap is checked first and the
/// signature last, so that a proof for another call costs next to nothing.
public final class WPTVerifier {
    private let engine: CryptographicEngine

    /// Until when a proof can be used, and since when, if it says that.
    fileprivate struct Life {
        let end: UnixTime
        let writtenEnd: UnixTime
        let issuedAt: UnixTime?
    }

    /// Makes a verifier that uses the thread's engine.
    public init(engine: CryptographicEngine) {
        self.engine = engine
    }

    /// Verifies the proof of one request.
    ///
    /// - Parameters:
    ///   - compact: the value of the request's only `Workload-Proof-Token` field, of a size that the caller has checked.
    ///   - expectation: the call that it must be for.
    ///   - policy: what the operator demands.
    ///   - now: the time.
    ///   - otherToken: the value, without white space at its ends, of the request's only field of a lower-case name;
    ///     nothing where there is no such field, or more than one.
    public func verify(
        _ compact: Span<UInt8>, for expectation: WPTExpectation, under policy: WPTPolicy, now: UnixTime,
        otherToken: (Span<UInt8>) -> [UInt8]?
    ) throws(WPTRejection) -> VerifiedWorkloadProof {
        let proof = try WPTProof(compact)
        let algorithm = try proof.header().algorithm
        // A key that names no algorithm is for none: the draft demands that it names one.
        guard algorithm == expectation.boundKey.algorithm else { throw .algorithm }
        try Self.checkAudience(of: proof, expectation)
        let life = try Self.life(of: proof, policy, now: now)
        _ = try proof.claims.identifier()
        try checkTokens(of: proof, expectation)
        try checkOtherTokens(of: proof, otherToken)
        let key = expectation.boundKey.publicKey
        do throws(JWSError) {
            try proof.jws.verify(compact, by: key, with: algorithm, engine: engine)
        } catch {
            throw .jws(error)
        }
        return VerifiedWorkloadProof(
            keyThumbprint: key.thumbprint, identifier: try identifier(of: proof, by: key), life: life)
    }

    /// One audience: the target URI in normal form, or one of the other names to the byte.
    private static func checkAudience(
        of proof: borrowing WPTProof, _ expectation: WPTExpectation
    ) throws(WPTRejection) {
        let audience = try proof.claims.audience()
        if TargetURI.matches(audience, origins: expectation.origins, path: expectation.path) { return }
        for alias in expectation.aliases where audience.equals(utf8: alias) { return }
        throw .audience
    }

    /// Not over, and not to last for long; `iat` and `nbf`, which a proof need not have, are honoured.
    private static func life(
        of proof: borrowing WPTProof, _ policy: WPTPolicy, now: UnixTime
    ) throws(WPTRejection) -> Life {
        let expiry = try proof.claims.time(.expiry)
        guard now < expiry + policy.futureSkew else { throw .expired }
        guard expiry <= now + policy.maximumLifetime else { throw .lifetime }
        let issuedAt = try proof.claims.timeIfPresent(.issuedAt)
        if let issuedAt {
            guard issuedAt <= now + policy.futureSkew else { throw .future }
            guard issuedAt < expiry, expiry - issuedAt <= policy.maximumLifetime else { throw .lifetime }
        }
        if let notBefore = try proof.claims.timeIfPresent(.notBefore), now + policy.futureSkew < notBefore {
            throw .notYetValid
        }
        return Life(end: expiry + policy.futureSkew, writtenEnd: expiry, issuedAt: issuedAt)
    }

    /// Made for these very tokens: a hash for each that is in the request, and for no other.
    private func checkTokens(
        of proof: borrowing WPTProof, _ expectation: WPTExpectation
    ) throws(WPTRejection) {
        guard try proof.claims.hash(.workloadTokenHash) == engine.sha256(expectation.workloadToken) else {
            throw .workloadToken
        }
        if let token = expectation.accessToken {
            guard try proof.claims.hash(.accessTokenHash) == engine.sha256(token) else { throw .accessToken }
        } else if proof.claims.contains(.accessTokenHash) {
            throw .unexpected(.accessTokenHash)
        }
        if let token = expectation.transactionToken {
            guard try proof.claims.hash(.transactionTokenHash) == engine.sha256(token) else {
                throw .transactionToken
            }
        } else if proof.claims.contains(.transactionTokenHash) {
            throw .unexpected(.transactionTokenHash)
        }
    }

    /// Whatever else the proof binds must be in the request as well.
    private func checkOtherTokens(
        of proof: borrowing WPTProof, _ otherToken: (Span<UInt8>) -> [UInt8]?
    ) throws(WPTRejection) {
        try proof.claims.forEachOtherToken { (name, hash) throws(WPTRejection) in
            guard let value = otherToken(name), engine.sha256(value.span) == hash else { throw .otherToken }
        }
    }

    private func identifier(of proof: borrowing WPTProof, by key: PublicKey) throws(WPTRejection) -> Digest256 {
        let identifier = try proof.claims.identifier()
        let label = "wpt\0".utf8.span
        let thumbprint = key.thumbprint.bytes
        let length = label.count + thumbprint.count + identifier.count
        var input: [292 of UInt8] = .init(repeating: 0)
        for index in label.indices { input[index] = label[index] }
        for index in thumbprint.indices { input[label.count + index] = thumbprint[index] }
        for index in identifier.indices { input[label.count + thumbprint.count + index] = identifier[index] }
        return engine.sha256(input.span.extracting(0..<length))
    }
}
