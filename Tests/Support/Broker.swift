public import Bytes
public import Cryptography
public import Tokens

/// An issuer with its private key, that signs whatever it is asked to.
public struct Broker: Sendable {
    /// When its tokens are fresh, if nothing else is said.
    public static let now = UnixTime(seconds: 1_800_000_000)
    /// Whom its tokens speak of.
    public static let subject = "spiffe://example.test/agent/orch/task/instance"
    /// Its name.
    public static let issuer = "https://broker.example.test"

    /// The claims of a token that every rule allows, as JSON, for `changed` to change.
    public static let claims: [String: String] = [
        "iss": "\"\(issuer)\"", "aud": #""https://localhost:8443""#, "exp": "1800000300",
        "iat": "1800000000", "sub": "\"\(subject)\"", "client_id": #""agents""#, "jti": #""t-1""#,
    ]
    /// The header of such a token.
    public static let header: [String: String] = ["alg": #""ES256""#, "typ": #""at+jwt""#, "kid": #""k-1""#]

    /// What it signs with.
    public let key: PrivateKey
    /// How it signs.
    public let algorithm: SignatureAlgorithm

    /// A P-256 key for all tests that do not ask for another.
    private static let shared = Result { try PrivateKey.generate(.ellipticCurve(.p256)) }

    /// Makes an issuer of its key.
    public init(key: PrivateKey, algorithm: SignatureAlgorithm) {
        self.key = key
        self.algorithm = algorithm
    }

    /// The issuer of all tests that do not ask for another.
    public static func standard() throws -> Broker { Broker(key: try shared.get(), algorithm: .es256) }

    /// The set of its one key.
    public func keySet(keyID: String? = "k-1", algorithm: SignatureAlgorithm? = nil) throws -> KeySet {
        let jwk = key.publicJWK(keyID: keyID, algorithm: algorithm ?? self.algorithm)
        return try KeySet(jwks: #"{"keys":[\#(jwk)]}"#.utf8.span)
    }

    /// The issuer that the claims name.
    public func issuer(
        named issuer: String = Broker.issuer, profile: TokenProfile = .oauth,
        audiences: [String] = ["https://other.example.test", "https://localhost:8443"],
        algorithms: Set<SignatureAlgorithm>? = nil, clockLeeway: Interval = .seconds(30),
        claimNames: ClaimNames = .standard, trustDomains: [String]? = nil, keys: KeySet? = nil,
        keySource: KeySource = .file, retainedClaims: Set<String> = []
    ) throws -> TokenIssuer {
        TokenIssuer(
            issuer: issuer, profile: profile, audiences: audiences, algorithms: algorithms ?? [algorithm],
            clockLeeway: clockLeeway, maximumTokenLifetime: .seconds(3600), claimNames: claimNames,
            trustDomains: trustDomains, keys: try keys ?? keySet(), keySource: keySource,
            retainedClaims: retainedClaims)
    }

    /// The table of that issuer alone.
    public func table() throws -> IssuerTable { IssuerTable([try issuer()]) }

    /// A token with some claims and header members changed, added, or (where nil) left out.
    public func token(
        _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:]
    ) throws -> [UInt8] {
        try sign(
            header: Self.json(Self.header, changedHeader), payload: Self.json(Self.claims, changed))
    }

    /// A compact JWS of any two texts.
    public func sign(header: String, payload: String) throws -> [UInt8] {
        let input = Base64URL.encode(header.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: algorithm)
        return Array((input + "." + Base64URL.encode(signature.span)).utf8)
    }

    /// An object of some members, of which some are changed, added, or (where nil) left out.
    public static func json(_ members: [String: String], _ changed: [String: String?]) -> String {
        let all = members.merging(changed.compactMapValues { $0 }) { $1 }
            .filter { changed[$0.key] != .some(.none) }
        return "{" + all.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
    }
}
