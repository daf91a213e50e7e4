import Bytes
public import Cryptography

extension Broker {
    // MARK: Workload Identity Tokens

    /// The header of a Workload Identity Token that every rule allows.
    public static let workloadHeader: [String: String] = [
        "alg": #""ES256""#, "typ": #""wit+jwt""#, "kid": #""k-1""#,
    ]

    /// The claims of such a token but for `cnf`.
    public static let workloadClaims: [String: String] = [
        "exp": "1800000300", "iat": "1800000000", "sub": "\"\(subject)\"",
    ]

    /// A Workload Identity Token with some claims and header members changed, added, or (where nil) left out.
    ///
    /// - Parameter key: the workload's.
    public func workloadToken(
        boundTo key: PublicKeyText, _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:]
    ) throws -> [UInt8] {
        let claims = Self.workloadClaims.merging(["cnf": #"{"jwk":\#(key.jwk)}"#]) { $1 }
        return try sign(
            header: Self.json(Self.workloadHeader, changedHeader), payload: Self.json(claims, changed))
    }

    // MARK: AgentWrit

    /// The claims of an AgentWrit token that every rule allows.
    public static let agentWritClaims: [String: String] = [
        "iss": "\"\(issuer)\"", "aud": #"["https://localhost:8443"]"#, "exp": "1800000300", "nbf": "1800000000",
        "iat": "1800000000", "sub": "\"\(subject)\"", "jti": #""00112233445566778899aabbccddeeff""#,
        "scope": #"["read:data:*"]"#, "task_id": #""task""#, "orch_id": #""orch""#,
    ]

    /// A token as an AgentWrit broker issues it, with some claims and header members changed, added, or (where nil) left out.
    public func agentWritToken(
        _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:]
    ) throws -> [UInt8] {
        let header = [
            "alg": "\"\(algorithm.rawValue)\"", "typ": #""JWT""#, "kid": "\"\(key.publicKey.thumbprint.base64URL)\"",
        ]
        return try sign(
            header: Self.json(header, changedHeader), payload: Self.json(Self.agentWritClaims, changed))
    }
}

/// A public key as JSON, as a token shows it.
public struct PublicKeyText: Sendable {
    /// The JWK.
    public let jwk: String

    /// The public part of a key, with or without the algorithm that it is for.
    public init(_ key: PrivateKey, algorithm: SignatureAlgorithm?) {
        jwk = key.publicJWK(keyID: nil, algorithm: algorithm)
    }

    /// Any text.
    public init(jwk: String) {
        self.jwk = jwk
    }
}
