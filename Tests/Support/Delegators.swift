import Bytes
public import Cryptography
public import Tokens

/// An issuer of attenuating agent tokens, and agents that pass them on one to the next.
public struct Delegators: Sendable {
    /// What is different about one token of a chain.
    public struct Change: Sendable {
        /// Claims changed, added, or (where nil) left out.
        public var claims: [String: String?]
        /// Header members changed, added, or (where nil) left out.
        public var header: [String: String?]
        /// Who signs, if not who should.
        public var signer: Broker?

        /// Makes a change.
        public init(_ claims: [String: String?] = [:], header: [String: String?] = [:], signer: Broker? = nil) {
            self.claims = claims
            self.header = header
            self.signer = signer
        }
    }

    /// Who signs the first token of each chain.
    public let issuer: Broker
    /// The agents: each holds a token and makes the next one's.
    public let holders: [Broker]

    private static let shared = Result { try Delegators() }

    /// The only ones.
    public static func standard() throws -> Delegators { try shared.get() }

    private init() throws {
        var holders: [Broker] = []
        for _ in 0..<18 { holders.append(Broker(key: try PrivateKey.generate(.ed25519), algorithm: .ed25519)) }
        self.holders = holders
        issuer = Broker(key: try PrivateKey.generate(.ed25519), algorithm: .ed25519)
    }

    /// The table of the issuer alone.
    public func table(
        profile: TokenProfile = .aat, algorithms: Set<SignatureAlgorithm> = [.ed25519, .es256],
        retainedClaims: Set<String> = [], keySource: KeySource = .file, keys: KeySet? = nil
    ) throws -> IssuerTable {
        IssuerTable([
            try issuer.issuer(
                profile: profile, algorithms: algorithms, keys: keys, keySource: keySource,
                retainedClaims: retainedClaims)
        ])
    }

    /// Who holds the token at a place, by the name of the key.
    public func name(_ place: Int) -> String {
        "urn:ietf:params:oauth:jwk-thumbprint:sha-256:" + holders[place].key.publicKey.thumbprint.base64URL
    }

    /// The value of `authorization_details` with some tools.
    public static func details(_ tools: String) -> String {
        #"[{"type":"attenuating_agent_token","tools":\#(tools)}]"#
    }

    /// The claims of the token at a place, by every rule.
    public func claims(_ place: Int, after parent: [UInt8]?) throws -> [String: String] {
        var claims = [
            "iss": "\"\(place == 0 ? Broker.issuer : name(place - 1))\"", "jti": "\"t-\(place)\"",
            "iat": "\(1_800_000_000 + place)", "exp": "\(1_800_000_300 - place)", "del_depth": "\(place)",
            "del_max_depth": "16",
            "cnf": #"{"jwk":\#(holders[place].key.publicJWK(keyID: nil, algorithm: nil))}"#,
            "authorization_details": Self.details(#"{"read:orders":{},"list:orders":{}}"#),
        ]
        if place == 0 { claims["aud"] = #""https://localhost:8443""# }
        if let parent { claims["par_hash"] = "\"\(try Self.hash(of: parent))\"" }
        return claims
    }

    /// The tokens from the first to the one at a place.
    public func chain(_ last: Int, _ changes: [Int: Change] = [:]) throws -> [[UInt8]] {
        var tokens: [[UInt8]] = []
        for place in 0...last {
            let change = changes[place] ?? Change()
            let signer = change.signer ?? (place == 0 ? issuer : holders[place - 1])
            let header = ["alg": "\"\(signer.algorithm.rawValue)\"", "typ": #""aat+jwt""#]
            tokens.append(
                try signer.sign(
                    header: Broker.json(header, change.header),
                    payload: Broker.json(try claims(place, after: tokens.last), change.claims)))
        }
        return tokens
    }

    /// What a token that is made out of `token` has in `par_hash`.
    public static func hash(of token: [UInt8]) throws -> String {
        let end = token.lastIndex(of: UInt8(ascii: ".")) ?? token.count
        let signed = Array(token[..<end])
        return try CryptographicEngine().sha256(signed.span).base64URL
    }
}

extension Sequence<[UInt8]> {
    /// The tokens as one field has them.
    public var listed: [UInt8] {
        let separator: [UInt8] = [UInt8(ascii: ","), UInt8(ascii: " ")]
        return Array(joined(separator: separator))
    }
}
