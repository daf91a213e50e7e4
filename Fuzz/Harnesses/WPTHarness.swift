import Bytes
import Cryptography
import JSON
import Possession
import Tokens

/// Workload Proof Tokens for one call with two tokens: none is accepted but by the workload's key, and for that call.
final class WPTHarness: Harness {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let path = "/orders/17"
    private static let alias = "urn:example:orders"
    private static let workloadToken = "eyJ3aXQ.eyJ3aXQ.d2l0"
    /// The token of draft-ietf-wimse-wpt §2.
    private static let accessToken = "16_mAd0GiwaZokU26_0902100"
    private static let otherField = "x-other"
    private static let otherToken = "other"
    private static let origins = ["https://api.example.test"].compactMap(TargetOrigin.init)
    private static let policy = WPTPolicy(maximumLifetime: .seconds(60), futureSkew: .seconds(10))

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let verifier: WPTVerifier

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        verifier = WPTVerifier(engine: engine)
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let proof = verify(input) else { return false }
        let jws = try demand(try? CompactJWS(input), "a proof is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a proof is signed by the workload's key")
        try checkClaims(jws.payload, proof)
        try demand(verify(input) == proof, "a proof is judged the same twice")
        try demand(verify(input, workloadToken: "other") == nil, "a proof is for one workload token")
        try demand(verify(input, accessToken: "other") == nil, "a proof is for one access token")
        try demand(verify(input, accessToken: nil) == nil, "a proof is not for a call without its access token")
        try demand(verify(input, transactionToken: "other") == nil, "a proof is for all tokens of a call")
        try demand(verify(input, boundKey: .ed25519) == nil, "a proof is by the workload's algorithm")
        try demand(verify(input, now: proof.expiresAt) == nil, "a proof has its time")
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    /// What is left of a proof when its evidence is gone.
    private struct Accepted: Equatable {
        let keyThumbprint: Digest256
        let identifier: Digest256
        let expiresAt: UnixTime
        let issuedAt: UnixTime?
    }

    private func verify(
        _ input: Span<UInt8>, workloadToken: String = workloadToken, accessToken: String? = accessToken,
        transactionToken: String? = nil, boundKey algorithm: SignatureAlgorithm = .es256, now: UnixTime = now
    ) -> Accepted? {
        let key = algorithm == .es256 ? owner.publicKey : stranger.publicKey
        let access = accessToken.map { Array($0.utf8) }
        let transaction = transactionToken.map { Array($0.utf8) }
        let expectation = WPTExpectation(
            origins: Self.origins, path: Self.path.utf8.span, aliases: [Self.alias],
            workloadToken: workloadToken.utf8.span, accessToken: access?.span,
            transactionToken: transaction?.span, boundKey: BoundKey(publicKey: key, algorithm: algorithm))
        do throws(WPTRejection) {
            let proof = try verifier.verify(input, for: expectation, under: Self.policy, now: now) { name in
                name.equals(utf8: Self.otherField) ? Array(Self.otherToken.utf8) : nil
            }
            return Accepted(
                keyThumbprint: proof.keyThumbprint, identifier: proof.identifier, expiresAt: proof.expiresAt,
                issuedAt: proof.issuedAt)
        } catch {
            return nil
        }
    }

    private func checkClaims(_ payload: [UInt8], _ proof: Accepted) throws(Violation) {
        let document = try parsed(payload.span, "the payload of a proof is JSON")
        let claims = document.root
        let workload = engine.sha256(Self.workloadToken.utf8.span).base64URL
        let access = engine.sha256(Self.accessToken.utf8.span).base64URL
        try demand(claims.member("wth")?.equals(utf8: workload) == true, "the hash is the workload token's")
        try demand(claims.member("ath")?.equals(utf8: access) == true, "the hash is the access token's")
        try demand(claims.member("tth") == nil, "a proof speaks of no token that is not there")
        let other = engine.sha256(Self.otherToken.utf8.span).base64URL
        if let others = claims.member("oth") {
            try demand(others.kind == .object && others.count <= 1, "a proof speaks of no field that is not there")
            guard others.count == 0 || others.member(named: Self.otherField)?.equals(utf8: other) == true else {
                throw Violation(property: "the hash is the other token's")
            }
        }
        let identifier = Array((claims.member("jti")?.string ?? "").utf8)
        try demand((1...256).contains(identifier.count), "the identifier is neither empty nor long")
        let thumbprint = owner.publicKey.thumbprint
        let bytes = thumbprint.bytes
        let digest = engine.sha256((Array("wpt\0".utf8) + Array(copying: bytes.span) + identifier).span)
        try demand(proof.identifier == digest, "a proof is told from others by its key and identifier")
        try demand(proof.keyThumbprint == thumbprint, "the key is the workload's")
        let left = proof.expiresAt - Self.now
        try demand(left > .zero && left <= .seconds(70), "a proof has begun, ends soon, and is remembered until then")
        if let issuedAt = proof.issuedAt {
            try demand(issuedAt <= Self.now + .seconds(10), "a proof is not made in the future")
        }
    }
}
