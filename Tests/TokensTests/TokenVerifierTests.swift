import Bytes
import Cryptography
import Delegation
import Identity
import Support
import Testing

@testable import Tokens

/// A change to the claims of a good token that a rule refuses, and one like it that the rule allows.
struct ClaimRule: Sendable, CustomTestStringConvertible {
    let name: String
    let bad: [String: String?]
    let good: [String: String?]
    let rejection: TokenRejection

    init(_ name: String, _ bad: [String: String?], but good: [String: String?], _ rejection: TokenRejection) {
        self.name = name
        self.bad = bad
        self.good = good
        self.rejection = rejection
    }

    var testDescription: String { name + ": " + bad.map { "\($0.key)=\(($0.value ?? "absent").prefix(40))" }.joined() }
}

private func quoted(_ character: Character, _ count: Int) -> String {
    "\"" + String(repeating: character, count: count) + "\""
}

private let control = #""a\u0000b""#

@Suite("The token verifier")
struct TokenVerifierTests {
    @Test("A token that keeps every rule is accepted, and its claims are read")
    func accepted() throws {
        let broker = try Broker.standard()
        let digest = Base64URL.encode([UInt8](repeating: 7, count: 32).span)
        let token = try broker.token([
            "scope": #""read:orders:42 openid write:a:b:c""#, "nbf": "1799999990", "sponsor": #""Zoë""#,
            "task_id": #""task-1""#, "orch_id": #""orch-1""#, "cnf": #"{"x5t#S256":"\#(digest)"}"#, "other": "[1]",
        ])
        let claims = try verdict(token, broker.table()).get()
        #expect(claims.issuer == "https://broker.example.test")
        #expect(claims.issuerIndex == 0)
        #expect(claims.subject == Broker.subject)
        #expect(claims.subjectID?.text == Broker.subject)
        #expect(claims.tokenID == "t-1")
        #expect(claims.clientID == "agents")
        #expect(claims.issuedAt == UnixTime(seconds: 1_800_000_000))
        #expect(claims.expiresAt == UnixTime(seconds: 1_800_000_300))
        #expect(claims.notBefore == UnixTime(seconds: 1_799_999_990))
        #expect(claims.scopes == ["read:orders:42", "openid", "write:a:b:c"])
        #expect(claims.grants.map(\.text) == ["read:orders:42", "write:a:b:c"])
        #expect(claims.confirmations.certificate?.base64URL == digest)
        #expect(claims.confirmations.isPresent && !claims.confirmations.demandsUnsupported)
        #expect(claims.sponsor == "Zoë")
        #expect(claims.task == "task-1")
        #expect(claims.orchestration == "orch-1")
        #expect(claims.delegationDepth == 0)
        #expect(claims.signingKey == broker.key.publicKey.thumbprint)
    }

    @Test("A token with nothing but what it must have is accepted")
    func minimal() throws {
        let broker = try Broker.standard()
        let claims = try verdict(broker.token(["sub": #""user-1""#]), broker.table()).get()
        #expect(claims.subject == "user-1")
        #expect(claims.subjectID == nil)
        #expect(claims.notBefore == nil)
        #expect(claims.scopes.isEmpty && claims.grants.isEmpty)
        #expect(claims.confirmations == .none)
        #expect(claims.sponsor == nil && claims.task == nil && claims.orchestration == nil)
    }

    @Test("Each rule about claims refuses a token; its twin is accepted", arguments: claimRules)
    func rules(rule: ClaimRule) throws {
        let broker = try Broker.standard()
        let table = try broker.table()
        #expect(try verdict(broker.token(rule.bad), table).rejection == rule.rejection)
        #expect(try verdict(broker.token(rule.good), table).rejection == nil)
    }

    private static let claimRules: [ClaimRule] = requiredClaims + identityClaims + timeClaims + otherClaims

    private static let requiredClaims: [ClaimRule] = [
        ClaimRule("A6", ["iss": .none], but: [:], .missing(.issuer)),
        ClaimRule("A6", ["exp": .none], but: [:], .missing(.expiry)),
        ClaimRule("A6", ["aud": .none], but: [:], .missing(.audience)),
        ClaimRule("A6", ["sub": .none], but: [:], .missing(.subject)),
        ClaimRule("A6", ["client_id": .none], but: [:], .missing(.clientID)),
        ClaimRule("A6", ["iat": .none], but: [:], .missing(.issuedAt)),
        ClaimRule("A6", ["jti": .none], but: [:], .missing(.tokenID)),
        ClaimRule("A6", ["jti": "null"], but: [:], .invalid(.tokenID)),
        ClaimRule("A6", ["jti": #""""#], but: ["jti": #""0""#], .invalid(.tokenID)),
        ClaimRule("A6", ["sub": #""""#], but: ["sub": #""s""#], .invalid(.subject)),
        ClaimRule("A6", ["client_id": "1"], but: ["client_id": #""1""#], .invalid(.clientID)),
        ClaimRule("A6", ["sub": #"["s"]"#], but: ["sub": #""s""#], .invalid(.subject)),
        // A2
        ClaimRule("A2", ["iss": #""https://broker.example.test/""#], but: [:], .issuer),
        ClaimRule("A2", ["iss": #""https://Broker.example.test""#], but: [:], .issuer),
        ClaimRule(
            "A2", ["iss": #""https:\/\/broker.example.test ""#],
            but: ["iss": #""https:\/\/broker.example.test""#], .issuer),
        ClaimRule("A2", ["iss": #"["https://broker.example.test"]"#], but: [:], .invalid(.issuer)),
        ClaimRule("A2", ["iss": "null"], but: [:], .invalid(.issuer)),
        // A3
        ClaimRule("A3", ["aud": #""https://localhost:8443/""#], but: ["aud": #""https://localhost:8443""#], .audience),
        ClaimRule("A3", ["aud": #"["x"]"#], but: ["aud": #"["x","https://localhost:8443"]"#], .audience),
        ClaimRule(
            "A3", ["aud": #"["https://localhost:8443",1]"#], but: ["aud": #"["https://localhost:8443","1"]"#],
            .invalid(.audience)),
        ClaimRule("A3", ["aud": "[]"], but: ["aud": #"["https://other.example.test"]"#], .invalid(.audience)),
        ClaimRule("A3", ["aud": #""""#], but: [:], .audience),
        ClaimRule("A3", ["aud": "null"], but: [:], .invalid(.audience)),
        ClaimRule("A3", ["aud": #"{"https://localhost:8443":1}"#], but: [:], .invalid(.audience)),
    ]

    private static let identityClaims: [ClaimRule] = [
        ClaimRule(
            "J8", ["sub": #""spiffe://example.test""#], but: ["sub": #""spiffe://example.test/a""#],
            .invalid(.subject)),
        ClaimRule(
            "J8", ["sub": #""spiffe://Example.test/a""#], but: ["sub": #""spiffe://example.test/A""#],
            .invalid(.subject)),
        ClaimRule(
            "J8", ["sub": #""SPIFFE://example.test/a""#], but: ["sub": #""x-spiffe://example.test/a""#],
            .invalid(.subject)),
        ClaimRule("J8", ["sub": #""spiffe:""#], but: ["sub": #""spiff""#], .invalid(.subject)),
        ClaimRule(
            "J8", ["sub": #""spiffe://example.test/a/../b""#], but: ["sub": #""spiffe://example.test/a/b""#],
            .invalid(.subject)),
        ClaimRule("J10", ["sub": control], but: ["sub": #""a.b""#], .invalid(.subject)),
        ClaimRule("J10", ["sub": #""a b""#], but: ["sub": #""a|b""#], .invalid(.subject)),
        ClaimRule("J10", ["sub": #""a\r\nX: y""#], but: ["sub": #""aX:y""#], .invalid(.subject)),
        ClaimRule("J10", ["sub": #""\u007f""#], but: ["sub": #""~""#], .invalid(.subject)),
        ClaimRule("J10", ["sub": #""Zoë""#], but: ["sub": #""Zoe""#], .invalid(.subject)),
        ClaimRule("P13", ["sub": quoted("s", 2049)], but: ["sub": quoted("s", 2048)], .invalid(.subject)),
        ClaimRule("P13", ["jti": quoted("j", 1025)], but: ["jti": quoted("j", 1024)], .invalid(.tokenID)),
        ClaimRule("J10", ["jti": control], but: ["jti": #""a-b""#], .invalid(.tokenID)),
        ClaimRule("J10", ["jti": #""a b""#], but: ["jti": #""a_b""#], .invalid(.tokenID)),
        ClaimRule("J10", ["client_id": #""a\tb""#], but: ["client_id": #""a b""#], .invalid(.clientID)),
        ClaimRule("J10", ["sponsor": control], but: ["sponsor": #""Zoë Å, 東京""#], .invalid(.sponsor)),
        ClaimRule("J10", ["sponsor": #""a\u0085b""#], but: ["sponsor": #""a\u00a0b""#], .invalid(.sponsor)),
        ClaimRule("J10", ["sponsor": #""a\u007fb""#], but: ["sponsor": #""a\u007eb""#], .invalid(.sponsor)),
        ClaimRule("J10", ["sponsor": #""""#], but: ["sponsor": #""a""#], .invalid(.sponsor)),
        ClaimRule("J10", ["sponsor": #""\u200b \u00a0""#], but: ["sponsor": #""\u200b a""#], .invalid(.sponsor)),
        ClaimRule("J10", ["sponsor": "{}"], but: ["sponsor": #""a""#], .invalid(.sponsor)),
        ClaimRule("P13", ["sponsor": quoted("s", 1025)], but: ["sponsor": quoted("s", 1024)], .invalid(.sponsor)),
        ClaimRule("J10", ["task_id": #""a b""#], but: ["task_id": #""a/b""#], .invalid(.task)),
        ClaimRule("J10", ["task_id": "null"], but: ["task_id": .none], .invalid(.task)),
        ClaimRule("J10", ["task_id": "7"], but: ["task_id": #""7""#], .invalid(.task)),
        ClaimRule("J10", ["orch_id": #""""#], but: ["orch_id": #""o""#], .invalid(.orchestration)),
    ]

    private static let timeClaims: [ClaimRule] = [
        ClaimRule(
            "A5", ["exp": "1799999970", "iat": "1799999000"], but: ["exp": "1799999971", "iat": "1799999000"],
            .expired),
        ClaimRule(
            "A5", ["exp": "1799999970.0", "iat": "1799999000"],
            but: ["exp": "1799999970.5", "iat": "1799999000"], .expired),
        ClaimRule("A5", ["nbf": "1800000031"], but: ["nbf": "1800000030"], .notYetValid),
        ClaimRule("A5", ["nbf": "1800000030.5"], but: ["nbf": "1800000029.5"], .notYetValid),
        ClaimRule("A5", ["iat": "1800000031"], but: ["iat": "1800000030"], .issuedInFuture),
        ClaimRule("A5", ["exp": "1800003601"], but: ["exp": "1800003600"], .lifetime),
        ClaimRule("A5", ["exp": "1800000000"], but: ["exp": "1800000001"], .lifetime),
        ClaimRule("A5", ["exp": "1799999999"], but: ["exp": "1800000001"], .lifetime),
        ClaimRule("P13", ["exp": #""1800000300""#], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "1e400"], but: ["exp": "1.8000003e9"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "18000003000000000000000"], but: ["exp": "1800000300.0"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "9000000001"], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "-1"], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "null"], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "true"], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["exp": "[1800000300]"], but: ["exp": "1800000300"], .invalid(.expiry)),
        ClaimRule("P13", ["iat": "-0.5"], but: ["iat": "1799999999.5"], .invalid(.issuedAt)),
        ClaimRule("P13", ["iat": #""0""#], but: [:], .invalid(.issuedAt)),
        ClaimRule("P13", ["iat": "0"], but: [:], .lifetime),
        ClaimRule("P13", ["iat": "-0"], but: [:], .lifetime),
        ClaimRule("P13", ["nbf": "null"], but: ["nbf": .none], .invalid(.notBefore)),
        ClaimRule("P13", ["nbf": #""0""#], but: ["nbf": "0"], .invalid(.notBefore)),
    ]

    private static let certificate = #""x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc""#

    private static let otherClaims: [ClaimRule] = [
        ClaimRule("scope", ["scope": #""a  b""#], but: ["scope": #""a b""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #"" a""#], but: ["scope": #""a""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #""a ""#], but: ["scope": #""""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #"" ""#], but: ["scope": #""""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #""a\tb""#], but: ["scope": #""a'b""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #""a\"b""#], but: ["scope": #""a!b""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #""a\\b""#], but: ["scope": #""a/b""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #""é""#], but: ["scope": #""e""#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #"["a b"]"#], but: ["scope": #"["a","b"]"#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #"["a",1]"#], but: ["scope": #"["a","1"]"#], .invalid(.scope)),
        ClaimRule("scope", ["scope": #"[""]"#], but: ["scope": "[]"], .invalid(.scope)),
        ClaimRule("scope", ["scope": "null"], but: ["scope": .none], .invalid(.scope)),
        ClaimRule("scope", ["scope": quoted("s", 1025)], but: ["scope": quoted("s", 1024)], .invalid(.scope)),
        // Claims of RFC 9470
        ClaimRule("acr", ["acr": "1"], but: ["acr": #""1""#], .invalid(.authenticationContext)),
        ClaimRule("acr", ["acr": #""a b""#], but: ["acr": #""urn:a:b""#], .invalid(.authenticationContext)),
        ClaimRule(
            "auth_time", ["auth_time": #""1""#], but: ["auth_time": "1799990000"], .invalid(.authenticationTime)),
        // C1, M2
        ClaimRule("C1", ["cnf": "[]"], but: ["cnf": "{}"], .invalid(.confirmation)),
        ClaimRule("C1", ["cnf": "null"], but: ["cnf": .none], .invalid(.confirmation)),
        ClaimRule("C1", ["cnf": #""x""#], but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule("P1", ["cnf": "{\(certificate),\(certificate)}"], but: ["cnf": "{\(certificate)}"], .payload),
        ClaimRule(
            "M2", ["cnf": #"{"x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}"#],
            but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule(
            "M2", ["cnf": #"{"x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd"}"#],
            but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule(
            "M2", ["cnf": #"{"x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBw"}"#],
            but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule(
            "M2", ["cnf": #"{"x5t#S256":"0707070707070707070707070707070707070707070707070707070707070707"}"#],
            but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule("M2", ["cnf": #"{"x5t#S256":7}"#], but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule("M2", ["cnf": #"{"x5t#S256":null}"#], but: ["cnf": "{\(certificate)}"], .invalid(.confirmation)),
        ClaimRule(
            "M2", ["cnf": #"{"jkt":"x"}"#],
            but: ["cnf": #"{"jkt":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#], .invalid(.confirmation)),
        // Delegation is not built.
        ClaimRule("act", ["act": #"{"sub":""}"#], but: ["act": #"{"sub":"a"}"#], .lineage(LineageFault(.form))),
        ClaimRule("act", ["act": "null"], but: ["act": .none], .lineage(LineageFault(.form))),
        ClaimRule("chain", ["delegation_chain": "[{}]"], but: ["delegation_chain": "[]"], .delegationUnsupported),
        ClaimRule("chain", ["delegation_chain": "{}"], but: ["delegation_chain": "[]"], .invalid(.delegationChain)),
        ClaimRule("chain", ["delegation_chain": "null"], but: ["delegation_chain": "[]"], .invalid(.delegationChain)),
        ClaimRule("depth", ["del_depth": "0"], but: ["del_depth": .none], .delegationUnsupported),
        ClaimRule("parent", ["par_hash": #""YQ""#], but: ["par_hash": .none], .delegationUnsupported),
        // P1, P15
        ClaimRule(
            "P13", ["deep": String(repeating: "[", count: 16) + String(repeating: "]", count: 16)],
            but: ["deep": String(repeating: "[", count: 15) + String(repeating: "]", count: 15)], .payload),
        ClaimRule("P15", ["x": #""\ud800""#], but: ["x": #""\ud83d\ude00""#], .payload),
        ClaimRule("P15", ["x": "NaN"], but: ["x": "null"], .payload),
    ]

    // MARK: The header and the signature

    @Test(
        "Each rule about the header refuses a token; its twin is accepted",
        arguments: [
            ("A1", ["typ": #""JWT""#], ["typ": #""AT+JWT""#], TokenRejection.type),
            ("A1", ["typ": .none], ["typ": #""application/at+jwt""#], .type),
            ("A9, J12", ["typ": #""id+jwt""#], [:], .type),
            ("A9, J12", ["typ": #""dpop+jwt""#], [:], .type),
            ("A4", ["alg": #""none""#], [:], .jws(.algorithm)),
            ("A4", ["alg": #""HS256""#], [:], .jws(.algorithm)),
            ("J1", ["alg": #""ES384""#], [:], .jws(.algorithm)),
            ("J1", ["alg": #""RS256""#], [:], .jws(.algorithm)),
            ("P3", ["crit": #"["exp"]"#], ["critical": #"["exp"]"#], .jws(.critical)),
            ("P4", ["b64": "true"], ["b65": "true"], .jws(.critical)),
            ("P10", ["kid": #""k-2""#], ["kid": .none], .jws(.key)),
            ("P10", ["kid": #""K-1""#], ["kid": #""k\u002d1""#], .jws(.key)),
            ("P10", ["kid": #""../k-1""#], [:], .jws(.key)),
        ] as [(String, [String: String?], [String: String?], TokenRejection)])
    func headers(name: String, bad: [String: String?], good: [String: String?], rejection: TokenRejection) throws {
        let broker = try Broker.standard()
        let table = try broker.table()
        #expect(try verdict(broker.token(header: bad), table).rejection == rejection)
        #expect(try verdict(broker.token(header: good), table).rejection == nil)
    }

    @Test("A4: A signature by a key that the issuer did not publish is refused")
    func otherKey() throws {
        let broker = try Broker.standard()
        let stranger = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        #expect(try verdict(stranger.token(), broker.table()).rejection == .jws(.signature))
        #expect(try verdict(broker.token(), broker.table()).rejection == nil)
    }

    @Test("P11: A key in the header is never used")
    func embeddedKey() throws {
        let broker = try Broker.standard()
        let stranger = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        let jwk = stranger.key.publicJWK(keyID: "k-1", algorithm: .es256)
        #expect(try verdict(stranger.token(header: ["jwk": jwk]), broker.table()).rejection == .jws(.signature))
        #expect(try verdict(broker.token(header: ["jwk": jwk]), broker.table()).rejection == nil)
    }

    @Test("J8: A key belongs to one issuer only")
    func issuersKeys() throws {
        let first = try Broker.standard()
        let second = Broker(key: try .generate(.ellipticCurve(.p256)), algorithm: .es256)
        let table = IssuerTable([try first.issuer(), try second.issuer(named: "https://second.example.test")])
        let name = #""https://second.example.test""#
        #expect(try verdict(second.token(["iss": name]), table).get().issuerIndex == 1)
        #expect(try verdict(first.token(["iss": name]), table).rejection == .jws(.signature))
        #expect(try verdict(second.token(), table).rejection == .jws(.signature))
    }

    @Test("Nobody is believed where no issuer is configured")
    func noIssuer() throws {
        let broker = try Broker.standard()
        #expect(try verdict(broker.token(), IssuerTable([])).rejection == .issuer)
    }

    @Test("Every algorithm verifies, and not once its signature was changed", arguments: SignatureAlgorithm.allCases)
    func algorithms(algorithm: SignatureAlgorithm) throws {
        let kind: PrivateKey.Kind =
            switch algorithm {
            case .es256: .ellipticCurve(.p256)
            case .es384: .ellipticCurve(.p384)
            case .es512: .ellipticCurve(.p521)
            case .ed25519, .edDSA: .ed25519
            default: .rsa(bits: 2048)
            }
        let broker = Broker(key: try .generate(kind), algorithm: algorithm)
        var token = try broker.token(header: ["alg": "\"\(algorithm.rawValue)\""])
        #expect(try verdict(token, broker.table()).rejection == nil)
        token[token.count - 10] = token[token.count - 10] == 0x41 ? 0x42 : 0x41
        #expect(try verdict(token, broker.table()).rejection == .jws(.signature))
    }

    @Test("P5: An ECDSA signature of zeros is refused")
    func zeroSignature() throws {
        let broker = try Broker.standard()
        let token = String(decoding: try broker.token(), as: UTF8.self)
        let head = try #require(token.lastIndex(of: "."))
        let zeros = Base64URL.encode([UInt8](repeating: 0, count: 64).span)
        #expect(try verdict(Array((token[...head] + zeros).utf8), broker.table()).rejection == .jws(.signature))
    }

    @Test(
        "A7, J14, P14: What is no signed JWT is refused before anything is believed",
        arguments: [
            ("", TokenRejection.jws(.malformed)), ("a.b", .jws(.malformed)), ("e30.e30.e30.e30.e30", .jws(.encrypted)),
            ("e30.e30.e30.", .jws(.malformed)), ("e30..e30", .jws(.header)), ("e30.e30.e30", .jws(.header)),
            ("YQ.YQ.YQ", .jws(.header)), ("{\"alg\":\"ES256\"}.e30.e30", .jws(.malformed)),
        ])
    func notSigned(text: String, rejection: TokenRejection) throws {
        #expect(try verdict(Array(text.utf8), Broker.standard().table()).rejection == rejection)
    }

    @Test("Nothing may stand before or behind a token")
    func surroundings() throws {
        let broker = try Broker.standard()
        let table = try broker.table()
        let token = try broker.token()
        #expect(verdict(try .init(engine: .init(), cacheCapacity: 0), token, table).rejection == nil)
        for character in " \t\n\0=.".utf8 {
            #expect(try verdict([character] + token, table).rejection == .jws(.malformed))
            #expect(try verdict(token + [character], table).rejection == .jws(.malformed))
        }
    }

    @Test("A payload that is not an object is refused", arguments: ["", "[]", "1", "null", #""x""#, "{} {}", "{"])
    func payloads(payload: String) throws {
        let broker = try Broker.standard()
        let token = try broker.sign(header: Broker.json(Broker.header, [:]), payload: payload)
        #expect(try verdict(token, broker.table()).rejection == .payload)
    }

    @Test(
        "P1: A claim named twice is refused, however it is spelled",
        arguments: [
            (#","sub":"b""#, #","sub2":"b""#), (#","s\u0075b":"b""#, #","s\u0076b":"b""#),
            (#","x":{"y":1,"\u0079":2}"#, #","x":{"y":1,"\u007a":2}"#),
        ])
    func duplicates(member: String, twin: String) throws {
        let broker = try Broker.standard()
        let (header, claims) = (Broker.json(Broker.header, [:]), Broker.json(Broker.claims, [:]).dropLast())
        let bad = try broker.sign(header: header, payload: claims + member + "}")
        let good = try broker.sign(header: header, payload: claims + twin + "}")
        #expect(try verdict(bad, broker.table()).rejection == .payload)
        #expect(try verdict(good, broker.table()).rejection == nil)
    }

    // MARK: The issuer's configuration

    @Test(
        "J12: A token of one kind is none of another, whatever its issuer signs",
        arguments: [(.agentwrit, .type), (.wimse, .profile), (.witSVID, .profile), (.oauth, nil)]
            as [(TokenProfile, TokenRejection?)])
    func profiles(profile: TokenProfile, rejection: TokenRejection?) throws {
        let broker = try Broker.standard()
        let table = IssuerTable([try broker.issuer(profile: profile)])
        #expect(try verdict(broker.token(), table).rejection == rejection)
    }

    @Test(
        "A subject's trust domain must be the listener's, or the issuer's own",
        arguments: [
            (nil, nil, nil), (nil, ["example.test"], nil), (nil, ["other.test"], TokenRejection.trustDomain),
            (nil, [], .trustDomain), (["example.test"], ["other.test"], nil),
            (["other.test"], ["example.test"], .trustDomain),
            (["other.test"], nil, .trustDomain), ([], nil, .trustDomain), (["sub.example.test"], nil, .trustDomain),
        ] as [([String]?, [String]?, TokenRejection?)])
    func trustDomains(issuers: [String]?, listeners: [String]?, rejection: TokenRejection?) throws {
        let broker = try Broker.standard()
        let table = IssuerTable([try broker.issuer(trustDomains: issuers)])
        #expect(try verdict(broker.token(), table, within: listeners).rejection == rejection)
        // A subject that is no SPIFFE ID is of no trust domain.
        #expect(try verdict(broker.token(["sub": #""user""#]), table, within: listeners).rejection == nil)
    }

    @Test("Claims are read under the issuer's names, the first that is there")
    func claimNames() throws {
        let broker = try Broker.standard()
        let names = ClaimNames(sponsor: ["human", "boss"], task: ["job"], orchestration: [])
        let table = IssuerTable([try broker.issuer(claimNames: names)])
        let token = try broker.token([
            "boss": #""b""#, "sponsor": #""s""#, "job": #""j""#, "task_id": #""t""#, "orch_id": #""o""#,
        ])
        let claims = try verdict(token, table).get()
        #expect(claims.sponsor == "b")
        #expect(claims.task == "j")
        #expect(claims.orchestration == nil)
        let both = try verdict(broker.token(["boss": #""b""#, "human": #""h""#]), table).get()
        #expect(both.sponsor == "h")
    }

    @Test(
        "Scopes come as a string or as a list",
        arguments: [
            (#""a b:c:d""#, ["a", "b:c:d"]), (#"["a","b:c:d"]"#, ["a", "b:c:d"]), (#""""#, []), ("[]", []),
            (#""a""#, ["a"]), (#""a a""#, ["a", "a"]),
        ])
    func scopes(claim: String, expected: [String]) throws {
        let broker = try Broker.standard()
        #expect(try verdict(broker.token(["scope": claim]), broker.table()).get().scopes == expected)
    }

    @Test("Every rejection has its own reason, stable and dotted")
    func reasons() {
        let rejections: [TokenRejection] = [
            .audience, .delegationUnsupported, .expired, .inactive, .introspectionAnswer,
            .introspectionNeeded(issuer: 0), .invalid(.subject), .issuedInFuture, .issuer, .issuerAmbiguous,
            .jws(.signature), .jws(.algorithm), .jws(.key), .keyUnknown(issuer: 0), .keysMissing(issuer: 0), .lifetime,
            .missing(.subject), .notYetValid, .opaque, .payload, .profile, .trustDomain, .type,
        ]
        #expect(Set(rejections.map(\.reason)).count == rejections.count)
        #expect(rejections.allSatisfy { $0.reason.hasPrefix("token.") })
        #expect(TokenRejection.expired.reason == "token.expired")
        #expect(TokenRejection.jws(.signature).reason == "token.signature")
        #expect(TokenRejection.delegationUnsupported.reason == "token.delegation-unsupported")
        #expect(TokenRejection.missing(.clientID).reason == "token.claim-missing.client_id")
    }
}
