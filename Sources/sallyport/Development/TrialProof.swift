import Bytes
import Cryptography

/// A proof of possession for one call: a DPoP proof or a Workload Proof Token.
struct TrialProof {
    /// Which of the two.
    enum Kind: String, CaseIterable {
        /// RFC 9449 §4.2.
        case dpop
        /// draft-ietf-wimse-wpt §2.
        case wpt
    }

    /// Which of the two it is.
    let kind: Kind
    /// The method of the call.
    let method: String
    /// Where the call goes.
    let url: HTTPSURL
    /// The token that it is made for.
    let token: String
    /// What the gateway wants to be repeated, if it wants that (RFC 9449 §8).
    var nonce: String?

    /// How long a Workload Proof Token may be used.
    private static let lifetime = Interval.seconds(30)

    /// The compact JWS, by the agent's proof key.
    func signed(by key: PrivateKey, now: UnixTime) throws -> String {
        let hash = try CryptographicEngine().sha256(token.utf8.span).base64URL
        var jwt = TrialJWT()
        jwt.claims.set("jti", RandomBytes.hexadecimal(count: 16))
        jwt.claims.set("iat", now)
        switch kind {
        case .dpop:
            jwt.header.set("typ", "dpop+jwt")
            jwt.header.set("jwk", json: key.publicJWK(keyID: nil, algorithm: nil))
            jwt.claims.set("htm", method)
            jwt.claims.set("htu", url.withoutQuery)
            jwt.claims.set("ath", hash)
            jwt.claims.set("nonce", nonce)
        case .wpt:
            jwt.header.set("typ", "wpt+jwt")
            jwt.claims.set("aud", url.withoutQuery)
            jwt.claims.set("exp", now + Self.lifetime)
            jwt.claims.set("wth", hash)
        }
        return try jwt.signed(by: key, with: key.proofAlgorithm)
    }
}

extension PrivateKey {
    /// What a proof by this key is signed with.
    fileprivate var proofAlgorithm: SignatureAlgorithm {
        publicKey.kind == .ed25519 ? .ed25519 : .es256
    }
}
