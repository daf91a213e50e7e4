import Bytes
import Cryptography
import Delegation
import Identity
import Support
import Testing

@testable import Tokens

@Suite("Tokens that their issuer is asked about")
struct IntrospectionTests {
    private static let opaque = Array("mF_9.B5f-4.1JqM".utf8)
    private static let names = [Broker.issuer]
    /// An answer that every rule allows.
    private static let answer: [String: String] = [
        "active": "true", "sub": "\"\(Broker.subject)\"", "aud": #""https://localhost:8443""#, "exp": "1800000300",
    ]

    private let broker: Broker
    private let table: IssuerTable
    private let verifier: TokenVerifier

    init() throws {
        broker = try .standard()
        table = IssuerTable([try Self.asked(broker)])
        verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
    }

    private static func asked(
        _ broker: Broker, named name: String = Broker.issuer, cache: Interval = .seconds(30)
    ) throws -> TokenIssuer {
        let endpoint = IntrospectionEndpoint(
            url: "https://broker.example.test/introspect", clientID: "gateway", clientSecret: ClientSecret([1]),
            cacheLifetime: cache)
        return try broker.issuer(
            named: name, algorithms: [], keys: KeySet.none, keySource: .introspection(endpoint),
            retainedClaims: ["model"])
    }

    private func verify(
        _ token: [UInt8] = opaque, _ issuers: IssuerTable? = nil, for names: [String]? = names,
        at now: UnixTime = Broker.now, by verifier: TokenVerifier? = nil
    ) -> Result<TokenClaims, TokenRejection> {
        do throws(TokenRejection) {
            return .success(
                try (verifier ?? self.verifier).verify(
                    token.span, among: issuers ?? table, subjectsWithin: nil, introspectingFor: names, now: now
                ).claims)
        } catch {
            return .failure(error)
        }
    }

    @discardableResult private func learn(
        _ changed: [String: String?] = [:], of token: [UInt8] = opaque, issuer: Int = 0, _ issuers: IssuerTable? = nil,
        at now: UnixTime = Broker.now, by verifier: TokenVerifier? = nil
    ) -> TokenRejection? {
        learn(
            body: Broker.json(Self.answer, changed), of: token, issuer: issuer, issuers, at: now, by: verifier)
    }

    @discardableResult private func learn(
        body: String, of token: [UInt8] = opaque, issuer: Int = 0, _ issuers: IssuerTable? = nil,
        at now: UnixTime = Broker.now, by verifier: TokenVerifier? = nil
    ) -> TokenRejection? {
        do throws(TokenRejection) {
            try (verifier ?? self.verifier).learn(
                introspection: body.utf8.span, of: token.span, issuer: issuer, among: issuers ?? table, now: now)
            return nil
        } catch {
            return error
        }
    }

    private func after(_ seconds: Int64) -> UnixTime { Broker.now + .seconds(seconds) }

    // MARK: Asking and learning

    @Test("An opaque token is asked about, and its claims are those of the answer")
    func learnt() throws {
        #expect(verify().rejection == .introspectionNeeded(issuer: 0))
        let rejection = learn([
            "iss": "\"\(Broker.issuer)\"", "client_id": #""agents""#, "jti": #""t-1""#, "iat": "1800000000",
            "scope": #""read:orders:42 openid""#, "acr": #""2""#, "auth_time": "1799999000", "model": #""m-1""#,
            "username": #""zoe""#, "sponsor": #""Zoë""#,
            "cnf": #"{"x5t#S256":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#,
        ])
        #expect(rejection == nil)
        let claims = try verify().get()
        #expect(claims.issuer == Broker.issuer && claims.issuerIndex == 0)
        #expect(claims.subjectID?.text == Broker.subject)
        #expect(claims.tokenID == "t-1" && claims.clientID == "agents")
        #expect(claims.grants.map(\.text) == ["read:orders:42"])
        // M3: the confirmation comes with the answer (RFC 8705 §3.2).
        #expect(claims.confirmations.certificate != nil && !claims.confirmations.demandsUnsupported)
        #expect(claims.authenticationContext == "2")
        #expect(claims.authenticatedAt == UnixTime(seconds: 1_799_999_000))
        #expect(claims.retained == ["model": .text("m-1")])
        #expect(claims.sponsor == "Zoë")
        #expect(claims.signingKey == nil)
        #expect(try verify().get() === claims)
    }

    @Test("An answer needs no more than whom, for whom and until when")
    func minimal() throws {
        #expect(learn() == nil)
        let claims = try verify().get()
        #expect(claims.tokenID == nil && claims.clientID == nil && claims.issuedAt == nil)
    }

    @Test("A token that its issuer does not know is refused")
    func inactive() {
        #expect(learn(body: #"{"active":false}"#) == .inactive)
        #expect(verify().rejection == .inactive)
        #expect(verifier.cachedTokenCount == 0)
    }

    @Test(
        "What is no answer teaches nothing",
        arguments: [
            "", "{}", "[]", "null", "true", #"{"active":"true"}"#, #"{"active":1}"#, #"{"active":null}"#,
            #"{"active":true,"active":true}"#, #"{"active":true} x"#, "<html>",
        ])
    func noAnswer(body: String) {
        #expect(learn(body: body) == .introspectionAnswer)
        #expect(verify().rejection == .introspectionNeeded(issuer: 0))
    }

    @Test(
        "Each rule about the answer's claims refuses the token; its twin is accepted",
        arguments: [
            ("A2", ["iss": #""https://other""#], ["iss": "\"\(Broker.issuer)\""], TokenRejection.issuer),
            ("A2", ["iss": "1"], ["iss": .none], .invalid(.issuer)),
            ("A3, J9", ["aud": .none], [:], .missing(.audience)),
            ("A3", ["aud": #""x""#], ["aud": #"["x","https://localhost:8443"]"#], .audience),
            ("A5", ["exp": .none], [:], .missing(.expiry)),
            ("A5", ["exp": "1799999970"], ["exp": "1799999971"], .expired),
            ("A5", ["exp": "1800003601"], ["exp": "1800003600"], .lifetime),
            ("A5", ["exp": "1800003600", "iat": "1799999999"], ["exp": "1800003600", "iat": "1800000000"], .lifetime),
            ("A5", ["nbf": "1800000031"], ["nbf": "1800000030"], .notYetValid),
            ("P13", ["exp": #""1800000300""#], ["exp": "1800000300.5"], .invalid(.expiry)),
            ("A6", ["sub": .none], [:], .missing(.subject)),
            ("J10", ["sub": #""a b""#], ["sub": #""a""#], .invalid(.subject)),
            ("M3", ["cnf": #"{"jkt":"x"}"#], ["cnf": "{}"], .invalid(.confirmation)),
            ("J12", ["token_type": #""N_A""#], ["token_type": #""bearer""#], .type),
            ("J12", ["token_type": "1"], ["token_type": #""DPoP""#], .type),
            ("J12", ["token_use": #""refresh_token""#], ["token_use": #""access_token""#], .type),
            ("J12", ["typ": #""Refresh""#], ["typ": #""Bearer""#], .type),
            ("J12", ["typ": #""ID""#], ["typ": #""at+jwt""#], .type),
            ("act", ["act": "{}"], ["act": #"{"sub":"a"}"#], .lineage(LineageFault(.form))),
            ("scope", ["scope": "1"], ["scope": #""""#], .invalid(.scope)),
        ] as [(String, [String: String?], [String: String?], TokenRejection)])
    func rules(rule: String, bad: [String: String?], good: [String: String?], rejection: TokenRejection) {
        learn(bad)
        #expect(verify().rejection == rejection)
        let twin = Array("twin".utf8)
        learn(good, of: twin)
        #expect(verify(twin).rejection == nil)
    }

    // MARK: How long

    @Test("An answer counts as long as its issuer's configuration says, and no longer")
    func lifetime() {
        learn()
        #expect(verify(at: after(29)).rejection == nil)
        #expect(verify(at: after(30)).rejection == .introspectionNeeded(issuer: 0))
        #expect(verifier.cachedTokenCount == 0)
    }

    @Test("A refusal counts as long")
    func refusalLifetime() {
        #expect(learn(body: #"{"active":false}"#) == .inactive)
        #expect(verify(at: after(29)).rejection == .inactive)
        #expect(verify(at: after(30)).rejection == .introspectionNeeded(issuer: 0))
    }

    @Test("An answer counts no longer than the token")
    func expiry() {
        learn(["exp": "1800000010"])
        #expect(verify(at: after(9)).rejection == nil)
        #expect(verify(at: after(10)).rejection == .introspectionNeeded(issuer: 0))
    }

    @Test("Without a cache an answer counts for the call that asked", arguments: [true, false])
    func noCache(isActive: Bool) throws {
        let issuers = IssuerTable([try Self.asked(broker, cache: .zero)])
        if isActive { learn([:], issuers) } else { #expect(learn(body: #"{"active":false}"#, issuers) == .inactive) }
        #expect(verify(Self.opaque, issuers).rejection == (isActive ? nil : .inactive))
        let last = after(0)
        #expect(verify(Self.opaque, issuers, at: last).rejection == (isActive ? nil : .inactive))
        #expect(verify(Self.opaque, issuers, at: after(1)).rejection == .introspectionNeeded(issuer: 0))
    }

    @Test("Where no verified token is remembered an answer still is", arguments: [0, 8])
    func noRoom(capacity: Int) throws {
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: capacity)
        learn(by: verifier)
        #expect(verify(by: verifier).rejection == nil)
    }

    @Test("A newer answer replaces an older one")
    func replacement() {
        learn()
        #expect(verify().rejection == nil)
        #expect(verify(at: after(30)).rejection == .introspectionNeeded(issuer: 0))
        #expect(learn(body: #"{"active":false}"#, at: after(30)) == .inactive)
        #expect(verify(at: after(31)).rejection == .inactive)
        #expect(learn(at: after(60)) == nil)
        #expect(verify(at: after(61)).rejection == nil)
    }

    @Test("The last answer counts, though an older one is not forgotten yet")
    func overtaken() {
        learn()
        #expect(verify().rejection == nil)
        #expect(learn(body: #"{"active":false}"#) == .inactive)
        #expect(verify().rejection == .inactive)
        #expect(verifier.cachedTokenCount == 0)
        learn()
        #expect(verify().rejection == nil)
    }

    @Test("What another table taught counts no more")
    func generations() throws {
        learn()
        let next = IssuerTable(table.issuers)
        #expect(verify(Self.opaque, next).rejection == .introspectionNeeded(issuer: 0))
    }

    @Test("A flood of tokens that nobody issued pushes out none that was verified")
    func flood() {
        learn()
        for index in 0..<3000 { _ = learn(body: #"{"active":false}"#, of: Array("token-\(index)".utf8)) }
        #expect(verify().rejection == nil)
        #expect(verifier.cachedTokenCount == 1)
    }

    // MARK: Who is asked

    @Test("Only an issuer of the route is asked, and only where there is exactly one")
    func whom() throws {
        let second = "https://second.example.test"
        let issuers = IssuerTable([
            try broker.issuer(named: "https://keys"), try Self.asked(broker), try Self.asked(broker, named: second),
        ])
        #expect(verify(Self.opaque, issuers, for: [Broker.issuer]).rejection == .introspectionNeeded(issuer: 1))
        #expect(verify(Self.opaque, issuers, for: [second]).rejection == .introspectionNeeded(issuer: 2))
        #expect(
            verify(Self.opaque, issuers, for: [second, "https://keys"]).rejection == .introspectionNeeded(issuer: 2))
        #expect(verify(Self.opaque, issuers, for: [second, Broker.issuer]).rejection == .opaque)
        #expect(verify(Self.opaque, issuers, for: ["https://keys"]).rejection == .opaque)
        #expect(verify(Self.opaque, issuers, for: []).rejection == .opaque)
        #expect(verify(Self.opaque, issuers, for: nil).rejection == .jws(.malformed))
    }

    @Test("What one issuer said is not said to a route of another")
    func routes() throws {
        let second = "https://second.example.test"
        let issuers = IssuerTable([try Self.asked(broker), try Self.asked(broker, named: second)])
        learn([:], issuers)
        #expect(verify(Self.opaque, issuers, for: [Broker.issuer]).rejection == nil)
        #expect(verify(Self.opaque, issuers, for: [second]).rejection == .introspectionNeeded(issuer: 1))
        #expect(verify(Self.opaque, issuers, for: nil).rejection == .jws(.malformed))
        #expect(verify(Self.opaque, issuers, for: [Broker.issuer]).rejection == nil)
    }

    @Test("Where nobody is asked an opaque token is refused as it always was")
    func nobody() throws {
        let issuers = IssuerTable([try broker.issuer()])
        #expect(verify(Self.opaque, issuers).rejection == .jws(.malformed))
        #expect(learn([:], issuers) == .opaque)
        #expect(learn(issuer: 7) == .opaque)
    }

    @Test("A JWT is verified by its signature, though another issuer could be asked")
    func signed() throws {
        let second = "https://second.example.test"
        let issuers = IssuerTable([try broker.issuer(), try Self.asked(broker, named: second)])
        #expect(try verify(broker.token(), issuers, for: [Broker.issuer, second]).rejection == nil)
        #expect(try verify(broker.token(["iss": #""x""#]), issuers, for: [second]).rejection == .issuer)
        // A7: an encrypted token is passed on to nobody.
        #expect(verify(Array("e30.e30.e30.e30.e30".utf8), issuers, for: [second]).rejection == .jws(.encrypted))
    }

    @Test("A JWT of an issuer that introspects is asked about, however it is signed")
    func jwt() throws {
        let token = try broker.token()
        #expect(verify(token).rejection == .introspectionNeeded(issuer: 0))
        #expect(verify(token, for: ["https://other"]).rejection == .opaque)
        let secretly = try broker.token(header: ["alg": #""HS256""#])
        #expect(verify(secretly).rejection == .introspectionNeeded(issuer: 0))
        learn(of: secretly)
        #expect(verify(secretly).rejection == nil)
    }

    @Test(
        "What only looks like a JWT is opaque",
        arguments: ["YWI.YWI.YWI", "W10.e30.e30", "a", "a.b", "....", "x.e30.e30"]
    )
    func looks(token: String) {
        let isEncrypted = token == "...."
        #expect(
            verify(Array(token.utf8)).rejection == (isEncrypted ? .jws(.encrypted) : .introspectionNeeded(issuer: 0)))
    }

    @Test("A workload's token is never asked about")
    func workloads() {
        learn()
        #expect(throws: TokenRejection.jws(.malformed)) {
            _ = try verifier.verifyWorkload(
                Self.opaque.span, among: table, subjectsWithin: nil, now: Broker.now
            ).claims
        }
    }
}
