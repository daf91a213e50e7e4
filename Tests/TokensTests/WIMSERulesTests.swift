import Bytes
import Cryptography
import Identity
import Support
import Testing

@testable import Tokens

/// What a verifier that has seen nothing yet makes of a Workload Identity Token.
private func workload(
    _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil, at now: UnixTime = Broker.now
) throws -> Result<TokenClaims, TokenRejection> {
    workload(
        TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8), token, issuers, within: trustDomains,
        at: now)
}

private func workload(
    _ verifier: TokenVerifier, _ token: [UInt8], _ issuers: IssuerTable, within trustDomains: [String]? = nil,
    at now: UnixTime = Broker.now
) -> Result<TokenClaims, TokenRejection> {
    do throws(TokenRejection) {
        return .success(
            try verifier.verifyWorkload(token.span, among: issuers, subjectsWithin: trustDomains, now: now).claims)
    } catch {
        return .failure(error)
    }
}

private let curve = #""kty":"OKP","crv":"Ed25519","x":"1CXXvflN_LVVsIsYXsUvB03JmlGWeCHqQVuouCF92bg""#

@Suite("The rules of a Workload Identity Token")
struct WIMSERulesTests {
    private let broker: Broker
    private let key: PublicKeyText
    private let table: IssuerTable

    init() throws {
        broker = try .standard()
        key = PublicKeyText(try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        table = IssuerTable([try broker.issuer(profile: .wimse)])
    }

    private func token(
        _ changed: [String: String?] = [:], header: [String: String?] = [:]
    ) throws -> [UInt8] {
        try broker.workloadToken(boundTo: key, changed, header: header)
    }

    // MARK: The example of the draft

    /// draft-ietf-wimse-workload-creds-02, section 3.1.
    private static let example =
        "eyJhbGciOiJFUzI1NiIsImtpZCI6Ikp1bmUgNSIsInR5cCI6IndpdCtqd3QifQ.eyJjbmYiOnsiandrIjp7ImFsZyI6IkVkRFNBIiwiY3J2Ijoi"
        + "RWQyNTUxOSIsImt0eSI6Ik9LUCIsIngiOiIxQ1hYdmZsTl9MVlZzSXNZWHNVdkIwM0ptbEdXZUNIcVFWdW91Q0Y5MmJnIn19LCJleHAiOjE3"
        + "NDU1MTI1MTAsImlhdCI6MTc0NTUwODkxMCwianRpIjoieC1fMUNUTDJjY2EzQ1NFNGN3Yl9sIiwic3ViIjoid2ltc2U6Ly9leGFtcGxlLmNv"
        + "bS9zcGVjaWZpYy13b3JrbG9hZCJ9.6KraSQUxWdl9dxFQ3Fj6dPY0Vi88OkwFwZpAIOhLeq6AbXAnLLQgOp8U9UDGcBuYF3KiNv6oKQD1ZWA"
        + "zrMZOJw"
    private static let exampleKeys =
        #"{"keys":[{"kty":"EC","kid":"June 5","crv":"P-256","x":"kXqnA2Op7hgd4zRMbw0iFcc_hDxUxhojxOFVGjE2gks","#
        + #""y":"n__VndPMR021-59UAs0b9qDTFT-EZtT6xSNs_xFskLo"}]}"#

    @Test("W2: The token of the draft's example is accepted while it is valid, and its claims are read")
    func draft() throws {
        let issuers = IssuerTable([
            try broker.issuer(
                profile: .wimse, audiences: [], trustDomains: ["example.com"],
                keys: KeySet(jwks: Self.exampleKeys.utf8.span))
        ])
        let token = Array(Self.example.utf8)
        let claims = try workload(token, issuers, at: UnixTime(seconds: 1_745_510_000)).get()
        #expect(claims.profile == .wimse)
        #expect(claims.subject == "wimse://example.com/specific-workload")
        #expect(claims.subjectID == nil)
        #expect(claims.tokenID == "x-_1CTL2cca3CSE4cwb_l")
        #expect(claims.issuedAt == UnixTime(seconds: 1_745_508_910))
        #expect(claims.expiresAt == UnixTime(seconds: 1_745_512_510))
        #expect(claims.confirmations.publicKey?.algorithm == .edDSA)
        #expect(claims.confirmations.publicKey?.publicKey.kind == .ed25519)
        #expect(claims.scopes.isEmpty)
        #expect(try workload(token, issuers, at: UnixTime(seconds: 1_745_512_540)).rejection == .expired)
        var forged = token
        forged[70] ^= 1
        #expect(try workload(forged, issuers, at: UnixTime(seconds: 1_745_510_000)).rejection != nil)
    }

    // MARK: Claims

    @Test("A token with nothing but what it must have is accepted")
    func minimal() throws {
        let claims = try workload(token(["iat": .none]), table).get()
        #expect(claims.tokenID == nil && claims.clientID == nil && claims.issuedAt == nil)
        #expect(claims.issuer == Broker.issuer)
        #expect(claims.subjectID?.text == Broker.subject)
    }

    @Test("A token of a workload grants nothing, whatever it says")
    func scopes() throws {
        #expect(try workload(token(["scope": #""read:orders:*""#]), table).get().scopes.isEmpty)
    }

    @Test(
        "Each rule about claims refuses a token; its twin is accepted",
        arguments: [
            ("W2", ["sub": .none], [:], TokenRejection.missing(.subject)),
            ("W2", ["sub": #""workload""#], ["sub": #""wimse://example.test/workload""#], .invalid(.subject)),
            ("W2", ["sub": #""https://example.test/a""#], [:], .invalid(.subject)),
            ("W2", ["sub": #""wimse://example.test""#], ["sub": #""wimse://example.test/a""#], .invalid(.subject)),
            ("W2", ["sub": #""WIMSE://example.test/a""#], [:], .invalid(.subject)),
            ("W2", ["sub": #""wimse://Example.test/a""#], [:], .invalid(.subject)),
            ("W2", ["sub": #""wimse://user@example.test/a""#], [:], .invalid(.subject)),
            ("W2", ["sub": #""wimse://example.test/a?b""#], [:], .invalid(.subject)),
            ("W2", ["exp": .none], [:], .missing(.expiry)),
            ("W2", ["exp": "1799999970", "iat": "1799999000"], ["exp": "1799999971", "iat": "1799999000"], .expired),
            ("W2", ["exp": "1800003601"], ["exp": "1800003600"], .lifetime),
            ("W2", ["exp": "1800003601", "iat": .none], ["exp": "1800003600", "iat": .none], .lifetime),
            ("W2", ["iat": "1800000031"], ["iat": "1800000030"], .issuedInFuture),
            ("W2", ["iat": #""1""#], ["iat": .none], .invalid(.issuedAt)),
            ("W2", ["cnf": .none], [:], .missing(.confirmation)),
            ("W2", ["cnf": "{}"], [:], .invalid(.confirmation)),
            ("W2", ["cnf": "1"], [:], .invalid(.confirmation)),
            (
                "W2", ["cnf": #"{"jkt":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#], [:],
                .invalid(.confirmation)
            ),
            (
                "W2", ["cnf": #"{"jwk":{\#(curve)}}"#], ["cnf": #"{"jwk":{\#(curve),"alg":"Ed25519"}}"#],
                .invalid(.confirmation)
            ),
            (
                "W2", ["cnf": #"{"jwk":{\#(curve),"alg":"ES256"}}"#], ["cnf": #"{"jwk":{\#(curve),"alg":"EdDSA"}}"#],
                .invalid(.confirmation)
            ),
            ("W2", ["cnf": #"{"jwk":{\#(curve),"alg":"none"}}"#], [:], .invalid(.confirmation)),
            ("C4", ["cnf": #"{"jwk":{"kty":"oct","k":"YQ","alg":"HS256"}}"#], [:], .invalid(.confirmation)),
            (
                "C1", ["cnf": #"{"jwk":{\#(curve),"alg":"EdDSA"},"jku":"https://evil.example"}"#],
                ["cnf": #"{"jwk":{\#(curve),"alg":"EdDSA"},"other":1}"#], .invalid(.confirmation)
            ),
            ("J9", ["aud": #""https://elsewhere""#], ["aud": #""https://localhost:8443""#], .audience),
            ("act", ["act": "{}"], ["acta": "{}"], .delegationUnsupported),
            ("P13", ["jti": "1"], ["jti": #""1""#], .invalid(.tokenID)),
        ] as [(String, [String: String?], [String: String?], TokenRejection)])
    func rules(rule: String, bad: [String: String?], good: [String: String?], rejection: TokenRejection) throws {
        #expect(try workload(token(bad), table).rejection == rejection)
        #expect(try workload(token(good), table).rejection == nil)
    }

    @Test(
        "Each rule about the header refuses a token; its twin is accepted",
        arguments: [
            ("W2", ["typ": .none], ["typ": #""application/WIT+jwt""#], TokenRejection.type),
            ("W2", ["typ": #""wimse-id+jwt""#], [:], .type), ("W2", ["typ": #""at+jwt""#], [:], .type),
            ("W2", ["typ": #""JWT""#], [:], .type), ("W2", ["typ": #""wpt+jwt""#], [:], .type),
            ("W2", ["alg": #""none""#], [:], .jws(.algorithm)), ("W2", ["alg": #""HS256""#], [:], .jws(.algorithm)),
            ("W2", ["kid": #""k-2""#], ["kid": .none], .jws(.key)),
        ] as [(String, [String: String?], [String: String?], TokenRejection)])
    func headers(rule: String, bad: [String: String?], good: [String: String?], rejection: TokenRejection) throws {
        #expect(try workload(token(header: bad), table).rejection == rejection)
        #expect(try workload(token(header: good), table).rejection == nil)
    }

    // MARK: Whose keys

    @Test("W2: The trust domain of sub chooses the keys, and iss leads nowhere")
    func trustDomains() throws {
        let other = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        let issuers = IssuerTable([
            try broker.issuer(profile: .wimse, trustDomains: ["example.test"]),
            try other.issuer(named: "https://other.example.test", profile: .wimse, trustDomains: ["other.test"]),
        ])
        #expect(try workload(token(), issuers).get().issuerIndex == 0)
        let theirs = #""spiffe://other.test/a""#
        #expect(try workload(other.workloadToken(boundTo: key, ["sub": theirs]), issuers).get().issuerIndex == 1)
        // The name of one issuer does not make its keys good for the trust domain of another.
        let name = #""https://other.example.test""#
        #expect(try workload(other.workloadToken(boundTo: key, ["iss": name]), issuers).rejection == .issuer)
        #expect(try workload(other.workloadToken(boundTo: key), issuers).rejection == .jws(.signature))
        #expect(try workload(token(["sub": #""spiffe://third.test/a""#]), issuers).rejection == .trustDomain)
    }

    @Test("An issuer without trust domains of its own vouches for the listener's")
    func listener() throws {
        #expect(try workload(token(), table, within: ["example.test"]).rejection == nil)
        #expect(try workload(token(), table, within: ["other.test"]).rejection == .trustDomain)
        #expect(try workload(token(), table, within: []).rejection == .trustDomain)
        let own = IssuerTable([try broker.issuer(profile: .witSVID, trustDomains: ["example.test"])])
        #expect(try workload(token(), own, within: ["other.test"]).rejection == nil)
    }

    @Test("Of two issuers for one trust domain the token must name its own")
    func ambiguous() throws {
        let other = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        let issuers = IssuerTable([
            try broker.issuer(profile: .wimse), try other.issuer(named: "https://second", profile: .witSVID),
        ])
        #expect(try workload(token(), issuers).rejection == .issuerAmbiguous)
        #expect(try workload(token(["iss": "\"\(Broker.issuer)\""]), issuers).get().issuerIndex == 0)
        let second = try other.workloadToken(boundTo: key, ["iss": #""https://second""#])
        #expect(try workload(second, issuers).get().issuerIndex == 1)
        #expect(try workload(token(["iss": #""https://third""#]), issuers).rejection == .issuer)
        #expect(try workload(token(["iss": "1"]), issuers).rejection == .invalid(.issuer))
    }

    @Test("Issuers of access tokens vouch for no workload")
    func otherProfiles() throws {
        for profile in [TokenProfile.oauth, .agentwrit] {
            #expect(try workload(token(), IssuerTable([broker.issuer(profile: profile)])).rejection == .trustDomain)
        }
    }

    // MARK: Kinds

    @Test("W1, J12: A workload's token is no access token, and an access token is none of a workload")
    func kinds() throws {
        let issuers = IssuerTable([
            try broker.issuer(), try broker.issuer(named: "https://workloads", profile: .wimse),
        ])
        let access = try broker.token()
        // The very claims of an access token, in a workload's.
        let both = try token(Broker.claims.mapValues { $0 }.merging(["iss": #""https://workloads""#]) { $1 })
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        #expect(workload(verifier, both, issuers).rejection == nil)
        #expect(verdict(verifier, access, issuers).rejection == nil)
        #expect(verifier.cachedTokenCount == 2)
        // Both are remembered, but neither as the other.
        #expect(verdict(verifier, both, issuers).rejection == .profile)
        #expect(workload(verifier, access, issuers).rejection == .type)
        #expect(workload(verifier, both, issuers).rejection == nil)
        #expect(verdict(verifier, access, issuers).rejection == nil)
    }

    // MARK: The cache

    @Test("A token shown again is remembered, and judged again by the time and the listener")
    func cache() throws {
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let token = try token()
        let first = try workload(verifier, token, table).get()
        #expect(try workload(verifier, token, table).get() === first)
        #expect(workload(verifier, token, table, within: ["other.test"]).rejection == .trustDomain)
        #expect(workload(verifier, token, table, within: ["example.test"]).rejection == nil)
        #expect(workload(verifier, token, table, at: UnixTime(seconds: 1_800_000_330)).rejection == .expired)
        #expect(verifier.cachedTokenCount == 0)
    }

    @Test("Which issuer vouches is asked again on every listener")
    func cacheAmbiguity() throws {
        let other = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        let issuers = IssuerTable([
            try broker.issuer(profile: .wimse, trustDomains: ["example.test"]),
            try other.issuer(named: "https://second", profile: .wimse),
        ])
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        let token = try token()
        #expect(workload(verifier, token, issuers, within: ["other.test"]).rejection == nil)
        #expect(workload(verifier, token, issuers, within: ["example.test"]).rejection == .issuerAmbiguous)
        #expect(workload(verifier, token, issuers, within: ["other.test"]).rejection == nil)
    }
}

@Suite("The rules of a WIT-SVID")
struct WITSVIDRulesTests {
    private let broker: Broker
    private let key: PublicKeyText
    private let table: IssuerTable

    init() throws {
        broker = try .standard()
        key = PublicKeyText(try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        table = IssuerTable([try broker.issuer(profile: .witSVID)])
    }

    @Test("W4: A token that keeps every rule is accepted")
    func accepted() throws {
        let claims = try workload(broker.workloadToken(boundTo: key), table).get()
        #expect(claims.profile == .witSVID)
        #expect(claims.subjectID?.text == Broker.subject)
    }

    @Test(
        "W4: Each rule about claims refuses a token that the wider profile accepts; its twin is accepted",
        arguments: [
            (["aud": #""https://localhost:8443""#], ["audience": #""x""#], TokenRejection.invalid(.audience)),
            (
                ["sub": #""wimse://example.test/a""#], ["sub": #""spiffe://example.test/a""#], .invalid(.subject)
            ),
            (["cnf": #"{"jwk":{\#(curve),"alg":"EdDSA"}}"#], [:], .invalid(.confirmation)),
            (["cnf": #"{"jwk":{\#(curve),"alg":"Ed25519"}}"#], [:], .invalid(.confirmation)),
        ] as [([String: String?], [String: String?], TokenRejection)])
    func rules(bad: [String: String?], good: [String: String?], rejection: TokenRejection) throws {
        let wider = IssuerTable([try broker.issuer(profile: .wimse)])
        #expect(try workload(broker.workloadToken(boundTo: key, bad), wider).rejection == nil)
        #expect(try workload(broker.workloadToken(boundTo: key, bad), table).rejection == rejection)
        #expect(try workload(broker.workloadToken(boundTo: key, good), table).rejection == nil)
    }

    @Test("W4: A token without kid is refused")
    func keyID() throws {
        let token = try broker.workloadToken(boundTo: key, header: ["kid": .none])
        #expect(try workload(token, table).rejection == .jws(.header))
        #expect(try workload(token, IssuerTable([broker.issuer(profile: .wimse)])).rejection == nil)
    }

    @Test(
        "W4: A token that is signed with EdDSA is refused, whatever the configuration allows",
        arguments: [
            SignatureAlgorithm.edDSA, .ed25519,
        ])
    func algorithms(algorithm: SignatureAlgorithm) throws {
        let issuer = Broker(key: try .generate(.ed25519), algorithm: algorithm)
        let token = try issuer.workloadToken(boundTo: key, header: ["alg": "\"\(algorithm.rawValue)\""])
        #expect(try workload(token, IssuerTable([issuer.issuer(profile: .witSVID)])).rejection == .jws(.algorithm))
        #expect(try workload(token, IssuerTable([issuer.issuer(profile: .wimse)])).rejection == nil)
    }
}
