import Bytes
import Cryptography
import JSON
import Possession
import Tokens

/// DPoP proofs for one call with one token: none is accepted but by the key that the token is bound to, and for that call.
final class DPoPHarness: Harness {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let method = "GET"
    private static let path = "/orders/17"
    /// The token of RFC 9449 §7.1.
    private static let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    private static let origins = ["https://api.example.test", "https://localhost:8443"].compactMap(TargetOrigin.init)
    private static let policy = DPoPPolicy(
        algorithms: [.es256, .ed25519, .edDSA, .ps256, .rs256, .es384, .es512], acceptWindow: .seconds(60),
        futureSkew: .seconds(10))

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let verifier: DPoPVerifier

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        verifier = DPoPVerifier(engine: try CryptographicEngine(), keyCapacity: 4)
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let proof = verify(input, by: verifier) else { return false }
        try checkSignature(of: input)
        try checkClaims(of: input, proof)
        try demand(verify(input, by: verifier) == proof, "a proof is judged the same by a key that is remembered")
        let fresh = DPoPVerifier(engine: engine, keyCapacity: 0)
        try demand(verify(input, by: fresh) == proof, "a proof is judged the same by a key that is not remembered")
        try demand(verify(input, by: fresh, method: "POST") == nil, "a proof is for one method")
        try demand(verify(input, by: fresh, path: "/orders/18") == nil, "a proof is for one path")
        try demand(verify(input, by: fresh, token: "other") == nil, "a proof is for one token")
        let key = stranger.publicKey.thumbprint
        try demand(verify(input, by: fresh, boundKey: key) == nil, "a proof is by the key that the token is bound to")
        let later = Self.now + .seconds(71)
        try demand(verify(input, by: fresh, now: later) == nil, "a proof has its time")
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    /// What is left of a proof when its evidence is gone.
    private struct Accepted: Equatable {
        let keyThumbprint: Digest256
        let identifier: Digest256
        let issuedAt: UnixTime
        let expiresAt: UnixTime
        let nonce: [UInt8]?
    }

    private func verify(
        _ input: Span<UInt8>, by verifier: DPoPVerifier, method: String = method, path: String = path,
        token: String = token, boundKey: Digest256? = nil, now: UnixTime = now
    ) -> Accepted? {
        let expectation = DPoPExpectation(
            method: method.utf8.span, origins: Self.origins, path: path.utf8.span, token: token.utf8.span,
            boundKey: boundKey ?? owner.publicKey.thumbprint)
        do throws(DPoPRejection) {
            let proof = try verifier.verify(input, for: expectation, under: Self.policy, now: now)
            return Accepted(
                keyThumbprint: proof.keyThumbprint, identifier: proof.identifier, issuedAt: proof.issuedAt,
                expiresAt: proof.expiresAt, nonce: proof.nonce)
        } catch {
            return nil
        }
    }

    /// The owner's key, and no other, made the signature.
    private func checkSignature(of input: Span<UInt8>) throws(Violation) {
        let jws = try demand(try? CompactJWS(input), "a proof is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a proof is signed by the owner's key")
        for index in [0, signature.count - 1] {
            var changed = signature
            changed[index] ^= 1
            let other = CompactForm.join(jws.header, jws.payload, changed)
            try demand(verify(other.span, by: verifier) == nil, "another signature is refused")
        }
    }

    private func checkClaims(of input: Span<UInt8>, _ proof: Accepted) throws(Violation) {
        let payload = try demand(try? CompactJWS(input), "a proof is a JWS").payload
        let document = try parsed(payload.span, "the payload of a proof is JSON")
        let claims = document.root
        try demand(claims.member("htm")?.equals("GET") == true, "the method is the request's")
        let hash = engine.sha256(Self.token.utf8.span).base64URL
        try demand(claims.member("ath")?.equals(utf8: hash) == true, "the hash is the token's")
        let identifier = Array((claims.member("jti")?.string ?? "").utf8)
        try demand((1...256).contains(identifier.count), "the identifier is neither empty nor long")
        let thumbprint = owner.publicKey.thumbprint
        let bytes = thumbprint.bytes
        let digest = engine.sha256((Array(copying: bytes.span) + identifier).span)
        try demand(proof.identifier == digest, "a proof is told from others by its key and identifier")
        try demand(proof.keyThumbprint == thumbprint, "the key is the owner's")
        let nonce = claims.member("nonce")?.string
        try demand(proof.nonce == nonce.map { Array($0.utf8) }, "the nonce is the one that is written")
        let age = Self.now - proof.issuedAt
        try demand(age <= .seconds(60) && age >= .seconds(-10), "a proof is made lately")
        try demand(proof.expiresAt == proof.issuedAt + .seconds(60), "a proof is remembered as long as it is accepted")
    }
}
