public import Bytes
public import Cryptography

/// A client that holds a key and makes whatever DPoP proof it is asked for (RFC 9449 §4.2).
public struct Prover: Sendable {
    /// The key that its proofs are made with.
    public let key: PrivateKey
    /// How it signs.
    public let algorithm: SignatureAlgorithm

    private static let keys = Result {
        (try PrivateKey.generate(.ellipticCurve(.p256)), try PrivateKey.generate(.ellipticCurve(.p256)))
    }

    /// Makes a client of its key.
    public init(key: PrivateKey, algorithm: SignatureAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }

    /// The client of all tests that do not ask for another.
    public static func standard() throws -> Prover { Prover(key: try keys.get().0, algorithm: .es256) }

    /// Another client.
    public static func other() throws -> Prover { Prover(key: try keys.get().1, algorithm: .es256) }

    /// What a token that is bound to the key has in `cnf.jkt`.
    public var thumbprint: String { key.publicKey.thumbprint.base64URL }

    /// The public key as JSON.
    public var jwk: String { key.publicJWK(keyID: nil, algorithm: nil) }

    /// A proof for a call with `token`, with some claims or header members changed, added, or (where nil) left out.
    public func proof(
        _ method: String = "GET", _ uri: String = "https://localhost:8443/orders/7", token: String,
        identifier: String = "p-1", at time: UnixTime = Broker.now, _ changed: [String: String?] = [:],
        header changedHeader: [String: String?] = [:]
    ) throws -> String {
        let hash = try CryptographicEngine().sha256(token.utf8.span).base64URL
        let claims = [
            "jti": "\"\(identifier)\"", "htm": "\"\(method)\"", "htu": "\"\(uri)\"",
            "iat": "\(time.nanoseconds / 1_000_000_000)", "ath": "\"\(hash)\"",
        ]
        let header = ["alg": "\"\(algorithm.rawValue)\"", "typ": #""dpop+jwt""#, "jwk": jwk]
        let proof = try Broker(key: key, algorithm: algorithm).sign(
            header: Broker.json(header, changedHeader), payload: Broker.json(claims, changed))
        return String(decoding: proof, as: UTF8.self)
    }
}
