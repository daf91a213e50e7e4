import Bytes
import Cryptography
import JSON
import Support
import Testing

@testable import Tokens

@Suite("The transaction token minter")
struct TransactionTokenMinterTests {
    private static let now = Broker.now

    private func settings(
        _ key: PrivateKey? = nil, lifetime: Interval = .seconds(60)
    ) throws -> TransactionTokenSettings {
        try #require(
            TransactionTokenSettings(
                key: try key ?? PrivateKey.generate(.ellipticCurve(.p256)), issuer: "https://gateway.example.test",
                trustDomain: "internal.example.test", workload: "spiffe://example.test/gateway", lifetime: lifetime))
    }

    private let context = TransactionTokenContext(
        transaction: "0123456789abcdef", scope: "read:orders:7", route: "read-order", method: "GET",
        path: "/orders/7", clientAddress: "192.0.2.1", agent: "spiffe://example.test/agent/a",
        possession: ["certificate", "svid"])

    /// The claims of a payload that a minter makes, by name, as written.
    private func claims(
        _ context: TransactionTokenContext? = nil, expiresIn seconds: Int64 = 300, lifetime: Interval = .seconds(60)
    ) throws -> [String: String] {
        let minter = TransactionTokenMinter(settings: try settings(lifetime: lifetime))
        let payload = minter.payload(
            subject: "user \"1\"", expiresAt: Self.now + .seconds(seconds), context ?? self.context,
            now: Self.now + .milliseconds(900))
        return try members(Array(copying: payload.readable))
    }

    private func members(_ json: [UInt8]) throws -> [String: String] {
        let document = try JSONDocument(json.span)
        var members: [String: String] = [:]
        var rest = document.root.members
        while let member = rest.next() {
            members[String(validating: member.name) ?? "?"] = String(validating: member.value.raw) ?? "?"
        }
        return members
    }

    /// The claims of a verified access token.
    private func accessTokenClaims() throws -> TokenClaims {
        let broker = try Broker.standard()
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        let token = try broker.token()
        return try verifier.verify(token.span, among: broker.table(), subjectsWithin: nil, now: Self.now).claims
    }

    @Test("The claims are those of the draft, and what the call is")
    func payload() throws {
        #expect(
            try claims() == [
                "iss": #""https://gateway.example.test""#, "iat": "1800000000", "exp": "1800000060",
                "aud": #""internal.example.test""#, "txn": #""0123456789abcdef""#, "sub": #""user \"1\"""#,
                "scope": #""read:orders:7""#, "req_wl": #""spiffe://example.test/gateway""#,
                "tctx": #"{"route":"read-order","method":"GET","path":"/orders/7"}"#,
                "rctx":
                    #"{"agent":"spiffe://example.test/agent/a","req_ip":"192.0.2.1","possession":["certificate","svid"]}"#,
            ])
    }

    @Test("What is not known is left out, and an empty scope stays a scope")
    func leftOut() throws {
        var context = context
        (context.path, context.clientAddress, context.scope, context.possession) = (nil, nil, "", [])
        let claims = try claims(context)
        #expect(claims["tctx"] == #"{"route":"read-order","method":"GET"}"#)
        #expect(claims["rctx"] == #"{"agent":"spiffe://example.test/agent/a","possession":[]}"#)
        #expect(claims["scope"] == #""""#)
    }

    @Test(
        "It is over after its lifetime, and with the access token at the latest",
        arguments: [
            (300, "1800000060"), (61, "1800000060"), (60, "1800000060"), (59, "1800000059"), (-5, "1799999995"),
        ])
    func expiry(expiresIn: Int64, exp: String) throws {
        #expect(try claims(expiresIn: expiresIn)["exp"] == exp)
    }

    @Test("The scope and the path cannot add a claim")
    func escaping() throws {
        var context = context
        context.path = #"/a","scope":"all"#
        context.scope = "a\",\"sub\":\"root\u{1}"
        let claims = try claims(context)
        #expect(claims.count == 10)
        #expect(claims["scope"] == #""a\",\"sub\":\"root\u0001""#)
        #expect(claims["sub"] == #""user \"1\"""#)
    }

    @Test("The token of a call is signed by the key of the published set and typed", arguments: [false, true])
    func signature(isEd25519: Bool) throws {
        let settings = try settings(try .generate(isEd25519 ? .ed25519 : .ellipticCurve(.p256)))
        let engine = try CryptographicEngine()
        let minted = try TransactionTokenMinter(settings: settings).mint(
            claims: accessTokenClaims(), context: context, now: Self.now)
        let jws = try CompactJWS(minted.span)
        let header = try JOSEHeader(json: jws.header.span)
        #expect(header.isTyped("txntoken+jwt"))
        #expect(header.algorithm == (isEd25519 ? .ed25519 : .es256))
        #expect(header.keyID == settings.key.publicKey.thumbprint.base64URL)
        let published = try KeySet(jwks: settings.keySet.utf8.span)
        let key = try published.key(for: header, among: [.es256, .ed25519])
        try jws.verify(minted.span, by: key.publicKey, with: header.algorithm, engine: engine)
        let claims = try members(jws.payload)
        #expect(claims["sub"] == "\"\(Broker.subject)\"")
        #expect(claims["exp"] == "1800000060")
        #expect(claims["aud"] == #""internal.example.test""#)
    }

    @Test("It passes for no access token, whoever believes its key")
    func isNoAccessToken() throws {
        let broker = try Broker.standard()
        let settings = try settings(broker.key)
        let table = IssuerTable([
            try broker.issuer(
                named: settings.issuer, audiences: ["internal.example.test"],
                keys: KeySet(jwks: settings.keySet.utf8.span))
        ])
        let minter = TransactionTokenMinter(settings: settings)
        let minted = try minter.sign(
            minter.payload(subject: "s", expiresAt: Self.now + .seconds(60), context, now: Self.now))
        let verifier = TokenVerifier(engine: try CryptographicEngine(), cacheCapacity: 0)
        #expect(throws: TokenRejection.type) {
            _ = try verifier.verify(minted.span, among: table, subjectsWithin: nil, now: Self.now).claims.subject
        }
    }

    @Test("Only keys on P-256 and Ed25519 sign")
    func kinds() throws {
        func isTaken(_ kind: PrivateKey.Kind) throws -> Bool {
            let key = try PrivateKey.generate(kind)
            return TransactionTokenSettings(key: key, issuer: "i", trustDomain: "t", workload: "w", lifetime: .zero)
                != nil
        }
        #expect(try isTaken(.ellipticCurve(.p256)))
        #expect(try isTaken(.ed25519))
        #expect(try !isTaken(.ellipticCurve(.p384)))
        #expect(try !isTaken(.rsa(bits: 2048)))
    }

    @Test("The published set holds no private member")
    func keySet() throws {
        let settings = try settings()
        let document = try JSONDocument(settings.keySet.utf8.span)
        #expect(document.root.member("keys")?.count == 1)
        let key = String(settings.keySet.dropFirst(#"{"keys":["#.count).dropLast("]}".count))
        let names = try members(Array(key.utf8)).keys.sorted()
        #expect(names == ["alg", "crv", "kid", "kty", "use", "x", "y"])
    }
}
