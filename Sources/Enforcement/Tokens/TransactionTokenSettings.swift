public import Bytes
public import Cryptography

/// How the gateway signs the transaction tokens that it issues to its upstreams (draft-ietf-oauth-transaction-tokens).
public struct TransactionTokenSettings: Sendable {
    /// What they are signed with.
    public let key: PrivateKey
    /// How they are signed: ES256 by a key on P-256, Ed25519 by one on that curve.
    public let algorithm: SignatureAlgorithm
    /// The key's identifier: its thumbprint (RFC 7638) in base64url.
    public let keyID: String
    /// Who issues them (`iss`).
    public let issuer: String
    /// The trust domain that they are good in (`aud`).
    public let trustDomain: String
    /// The workload that asks for them: the gateway itself (`req_wl`).
    public let workload: String
    /// How long they live at most.
    public let lifetime: Interval

    /// Makes settings, or nothing where the key is neither on P-256 nor an Ed25519 one.
    public init?(key: PrivateKey, issuer: String, trustDomain: String, workload: String, lifetime: Interval) {
        switch key.publicKey.kind {
        case .ellipticCurve(.p256): algorithm = .es256
        case .ed25519: algorithm = .ed25519
        default: return nil
        }
        self.key = key
        keyID = key.publicKey.thumbprint.base64URL
        self.issuer = issuer
        self.trustDomain = trustDomain
        self.workload = workload
        self.lifetime = lifetime
    }

    /// The JWK Set of the public key, for whoever verifies the tokens (RFC 7517 §5).
    public var keySet: String {
        "{\"keys\":[\(key.publicJWK(keyID: keyID, algorithm: algorithm))]}"
    }
}
