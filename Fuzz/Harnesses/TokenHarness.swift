import Bytes
import Cryptography
import Foundation
import Identity
import Support
import Tokens

/// Access tokens of one issuer: none is accepted but by its key, and what one says is what Foundation reads in it.
final class TokenHarness: Harness {
    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let verifier: TokenVerifier
    private let issuers: IssuerTable
    private let others: IssuerTable

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        verifier = TokenVerifier(engine: engine, cacheCapacity: 8, cacheSeed: 1)
        issuers = try Broker(key: owner, algorithm: .es256).table()
        others = try Broker(key: stranger, algorithm: .ed25519).table()
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        let now = Broker.now
        guard let claims = verify(input, at: now) else {
            try demand(verify(input, at: now) == nil, "what is refused once is refused again")
            return false
        }
        let jws = try demand(try? CompactJWS(input), "a token is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a token is signed by its issuer's key")
        try check(claims, jws.payload)
        let again = try demand(verify(input, at: now), "what is accepted once is accepted again")
        try demand(again === claims, "a token is remembered")
        try demand(verify(input, at: now, among: others) == nil, "a token is of one issuer's key")
        try demand(verify(input, at: claims.expiresAt + .seconds(31)) == nil, "a token has its time")
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    private func verify(_ input: Span<UInt8>, at now: UnixTime, among table: IssuerTable? = nil) -> TokenClaims? {
        do throws(TokenRejection) {
            return try verifier.verify(input, among: table ?? issuers, subjectsWithin: ["example.test"], now: now)
                .claims
        } catch {
            return nil
        }
    }

    private func check(_ claims: TokenClaims, _ payload: [UInt8]) throws(Violation) {
        let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        let members = try demand(object, "Foundation reads the claims as an object")
        try demand(members["iss"] as? String == Broker.issuer, "the issuer is the configured one")
        try demand(members["sub"] as? String == claims.subject, "the subject is what Foundation reads")
        try demand(members["jti"] as? String == claims.tokenID, "the identifier is what Foundation reads")
        let audiences = members["aud"] as? [String] ?? [members["aud"] as? String ?? ""]
        try demand(
            audiences.contains("https://localhost:8443") || audiences.contains("https://other.example.test"),
            "the token is meant for us")
        let expiry = (members["exp"] as? NSNumber)?.doubleValue ?? 0
        try demand(
            abs(Double(claims.expiresAt.nanoseconds) / 1e9 - expiry) < 1e-3, "the expiry is what Foundation reads")
        try demand(claims.expiresAt + .seconds(30) > Broker.now, "a token that is accepted is not over")
        let issuedAt: UnixTime? = claims.issuedAt
        try demand(issuedAt.map { $0 <= Broker.now + .seconds(30) } != false, "a token that is accepted has begun")
        if let subject = claims.subjectID {
            try demand(subject.trustDomain == "example.test", "the subject is of the listener's trust domain")
            try demand(subject.text == claims.subject, "the subject is read as the name that it is")
        }
        try demand(claims.signingKey == owner.publicKey.thumbprint, "the signing key is the issuer's")
    }
}
