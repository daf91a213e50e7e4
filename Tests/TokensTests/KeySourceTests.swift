import Bytes
import Cryptography
import Support
import Testing
import Tokens

@Suite("Where an issuer's keys come from")
struct KeySourceTests {
    private static let location = KeySource.url(KeySetLocation(url: "https://broker.example.test/keys"))

    @Test("P10: Before its keys were fetched nothing is said of an issuer's token")
    func missing() throws {
        let broker = try Broker.standard()
        let table = IssuerTable([
            try broker.issuer(named: "https://first"), try broker.issuer(keys: KeySet.none, keySource: Self.location),
        ])
        #expect(try verdict(broker.token(), table).rejection == .keysMissing(issuer: 1))
        let fetched = IssuerTable([table.issuers[0], table.issuers[1].with(keys: try broker.keySet())])
        #expect(try verdict(broker.token(), fetched).rejection == nil)
        #expect(KeySet.none.isEmpty && fetched.issuers[1].keys.count == 1)
        #expect(fetched.issuers[1].keySource == Self.location)
    }

    @Test("P10: An unknown kid may have been published since, where keys are fetched, and only there")
    func unknown() throws {
        let broker = try Broker.standard()
        let fetched = IssuerTable([try broker.issuer(keySource: Self.location)])
        let token = try broker.token(header: ["kid": #""k-2""#])
        #expect(try verdict(token, fetched).rejection == .keyUnknown(issuer: 0))
        #expect(try verdict(token, broker.table()).rejection == .jws(.key))
        #expect(try verdict(broker.token(), fetched).rejection == nil)
        #expect(TokenVerifier.keyID(of: token.span) == "k-2")
        let anonymous = try broker.token(header: ["kid": .none])
        #expect(TokenVerifier.keyID(of: anonymous.span) == nil)
        #expect(TokenVerifier.keyID(of: "x.y".utf8.span) == nil)
    }

    @Test("P10: A token without kid that no known key fits may be by a newer one")
    func unknownWithoutKeyID() throws {
        let broker = try Broker.standard()
        let other = Broker(key: try .generate(.ed25519), algorithm: .ed25519)
        let table = IssuerTable([
            try broker.issuer(algorithms: [.es256, .ed25519], keySource: Self.location)
        ])
        let token = try other.token(header: ["kid": .none, "alg": #""Ed25519""#])
        #expect(try verdict(token, table).rejection == .keyUnknown(issuer: 0))
        #expect(try verdict(broker.token(header: ["kid": .none]), table).rejection == nil)
    }

    @Test("Nothing is fetched for a token that will be refused whatever the keys are")
    func refusedAnyway() throws {
        let broker = try Broker.standard()
        let table = IssuerTable([try broker.issuer(keys: KeySet.none, keySource: Self.location)])
        #expect(try verdict(broker.token(header: ["typ": #""JWT""#]), table).rejection == .type)
        #expect(try verdict(broker.token(header: ["alg": #""RS256""#]), table).rejection == .jws(.algorithm))
        #expect(try verdict(broker.token(["iss": #""https://evil""#]), table).rejection == .issuer)
        #expect(try verdict(broker.token(), table).rejection == .keysMissing(issuer: 0))
    }

    @Test("A workload's keys may be fetched too")
    func workloads() throws {
        let broker = try Broker.standard()
        let key = PublicKeyText(broker.key, algorithm: .es256)
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 8)
        func rejection(_ issuer: TokenIssuer, _ token: [UInt8]) -> TokenRejection? {
            do throws(TokenRejection) {
                _ = try verifier.verifyWorkload(
                    token.span, among: IssuerTable([issuer]), subjectsWithin: nil, now: Broker.now)
                return nil
            } catch {
                return error
            }
        }
        let issuer = try broker.issuer(profile: .wimse, keys: KeySet.none, keySource: Self.location)
        let token = try broker.workloadToken(boundTo: key)
        let stranger = try broker.workloadToken(boundTo: key, header: ["kid": #""k-2""#])
        #expect(rejection(issuer, token) == .keysMissing(issuer: 0))
        #expect(rejection(issuer.with(keys: try broker.keySet()), token) == nil)
        #expect(rejection(issuer.with(keys: try broker.keySet()), stranger) == .keyUnknown(issuer: 0))
    }

    @Test("Only what says nothing against the token is an unavailability")
    func unavailability() {
        for rejection in [
            TokenRejection.keysMissing(issuer: 0), .introspectionAnswer, .introspectionNeeded(issuer: 0),
        ] {
            #expect(rejection.isUnavailability)
        }
        for rejection in [TokenRejection.keyUnknown(issuer: 0), .inactive, .opaque, .expired, .jws(.key)] {
            #expect(!rejection.isUnavailability)
        }
    }

    @Test("A client's secret does not print itself")
    func secret() {
        let secret = ClientSecret(Array("hunter2".utf8))
        let endpoint = IntrospectionEndpoint(url: "https://b", clientID: "c", clientSecret: secret)
        var dumped = ""
        dump(endpoint, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), "\(endpoint)", String(reflecting: endpoint), dumped] {
            #expect(!text.contains("hunter2") && !text.contains("104"))
        }
        #expect(secret.bytes == Array("hunter2".utf8))
    }
}
