import Bytes
import Cryptography
import JSON

@testable import Tokens

/// An issuer with its private key, that signs whatever it is asked to.
struct Broker {
    static let now = UnixTime(seconds: 1_800_000_000)
    static let subject = "spiffe://example.test/agent/orch/task/instance"

    /// The claims of a token that every rule allows, as JSON, for `changed` to change.
    static let claims: [String: String] = [
        "iss": #""https://broker.example.test""#, "aud": #""https://localhost:8443""#, "exp": "1800000300",
        "iat": "1800000000", "sub": "\"\(subject)\"", "client_id": #""agents""#, "jti": #""t-1""#,
    ]
    static let header: [String: String] = ["alg": #""ES256""#, "typ": #""at+jwt""#, "kid": #""k-1""#]

    let key: PrivateKey
    let algorithm: SignatureAlgorithm

    /// A P-256 key for all tests that do not ask for another.
    private static let shared = Result { try PrivateKey.generate(.ellipticCurve(.p256)) }

    static func standard() throws -> Broker { Broker(key: try shared.get(), algorithm: .es256) }

    /// The set of its one key.
    func keySet(keyID: String? = "k-1", algorithm: SignatureAlgorithm? = nil) throws -> KeySet {
        let jwk = key.publicJWK(keyID: keyID, algorithm: algorithm ?? self.algorithm)
        return try KeySet(jwks: #"{"keys":[\#(jwk)]}"#.utf8.span)
    }

    /// The issuer that the claims name.
    func issuer(
        named issuer: String = "https://broker.example.test", profile: TokenProfile = .oauth,
        audiences: [String] = ["https://other.example.test", "https://localhost:8443"],
        algorithms: Set<SignatureAlgorithm>? = nil, claimNames: ClaimNames = .standard, trustDomains: [String]? = nil,
        keys: KeySet? = nil
    ) throws -> TokenIssuer {
        TokenIssuer(
            issuer: issuer, profile: profile, audiences: audiences, algorithms: algorithms ?? [algorithm],
            clockLeeway: .seconds(30), maximumTokenLifetime: .seconds(3600), claimNames: claimNames,
            trustDomains: trustDomains, keys: try keys ?? keySet())
    }

    func table() throws -> IssuerTable { IssuerTable([try issuer()]) }

    /// A token with some claims and header members changed, added, or (where nil) left out.
    func token(_ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:]) throws -> [UInt8] {
        try sign(
            header: Self.json(Self.header, changedHeader), payload: Self.json(Self.claims, changed))
    }

    func sign(header: String, payload: String) throws -> [UInt8] {
        let input = Base64URL.encode(header.utf8.span) + "." + Base64URL.encode(payload.utf8.span)
        let signature = try key.sign(input.utf8.span, with: algorithm)
        return Array((input + "." + Base64URL.encode(signature.span)).utf8)
    }

    static func json(_ members: [String: String], _ changed: [String: String?]) -> String {
        let all = members.merging(changed.compactMapValues { $0 }) { $1 }
            .filter { changed[$0.key] != .some(.none) }
        return "{" + all.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }.joined(separator: ",") + "}"
    }
}

/// What a verifier that has seen nothing yet makes of a token: its claims, or why it is refused.
func verdict(
    _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil, at now: UnixTime = Broker.now
) throws -> Result<TokenClaims, TokenRejection> {
    verdict(
        TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8), token, issuers, within: trustDomains,
        at: now)
}

func verdict(
    _ verifier: TokenVerifier, _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil,
    at now: UnixTime = Broker.now
) -> Result<TokenClaims, TokenRejection> {
    do throws(TokenRejection) {
        return .success(
            try verifier.verify(token.span, among: issuers, subjectsWithin: trustDomains, now: now).claims)
    } catch {
        return .failure(error)
    }
}

extension Result where Failure == TokenRejection {
    var rejection: TokenRejection? {
        if case .failure(let rejection) = self { return rejection }
        return nil
    }
}
