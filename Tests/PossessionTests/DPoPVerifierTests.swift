import Bytes
import Cryptography
import Testing
import Tokens

@testable import Possession

/// One change to a proof, and what must come of it; nothing: it is accepted.
private struct Change: Sendable, CustomTestStringConvertible {
    let rule: String
    let member: String
    let value: String?
    let rejection: DPoPRejection?

    init(_ rule: String, _ member: String, _ value: String?, _ rejection: DPoPRejection?) {
        (self.rule, self.member, self.value, self.rejection) = (rule, member, value, rejection)
    }

    var testDescription: String { "\(rule): \(member) \(value ?? "absent")" }
}

@Suite("The DPoP verifier")
struct DPoPVerifierTests {
    @Test("A proof as the standard has it is accepted, and says whose and which it is")
    func accepted() throws {
        let maker = try ProofMaker.standard()
        let facts = try verdict(try maker.proof(["nonce": #""n-1""#])).get()
        let thumbprint = maker.key.publicKey.thumbprint
        #expect(facts.keyThumbprint == thumbprint)
        #expect(facts.issuedAt == ProofMaker.now)
        #expect(facts.expiresAt == ProofMaker.now + .seconds(60))
        #expect(facts.nonce == Array("n-1".utf8))
        var input: [UInt8] = []
        for index in 0..<32 { input.append(thumbprint.bytes[index]) }
        input += Array("p-1".utf8)
        #expect(facts.identifier == (try CryptographicEngine()).sha256(input.span))
        #expect(try verdict(try maker.proof()).get().nonce == nil)
    }

    @Test("Every algorithm that may be configured verifies with its kind of key")
    func algorithms() throws {
        let makers = [
            ProofMaker(key: try .generate(.ellipticCurve(.p384)), algorithm: .es384),
            ProofMaker(key: try .generate(.ellipticCurve(.p521)), algorithm: .es512),
            try .ed25519(), ProofMaker(key: try ProofMaker.ed25519().key, algorithm: .edDSA),
            try .rsa(), ProofMaker(key: try ProofMaker.rsa().key, algorithm: .rs256),
        ]
        for maker in makers { #expect(try verdict(try maker.proof(), by: maker).isAccepted) }
    }

    @Test("D12: Two proofs are the same by jti and key, whatever else they say")
    func identifiers() throws {
        let (maker, other) = (try ProofMaker.standard(), try ProofMaker.other())
        let first = try verdict(try maker.proof()).get().identifier
        let uri = #""HTTPS://API.example.test:443/orders/17?x=1""#
        #expect(try verdict(try maker.proof(["htu": uri, "iat": "1800000001"])).get().identifier == first)
        #expect(try verdict(try maker.proof(["jti": #""p-2""#])).get().identifier != first)
        #expect(try verdict(try other.proof(), by: other).get().identifier != first)
    }

    // MARK: Form

    @Test("D1, D2, P2, P14: Only one compact JWS is a proof")
    func form() throws {
        let proof = try ProofMaker.standard().proof()
        let text = String(decoding: proof, as: UTF8.self)
        let parts = text.split(separator: ".").map(String.init)
        #expect(try verdict(Array(text.utf8)).isAccepted)
        let lists = [
            text + "," + text, text + ", " + text, text + ",", " " + text, text + " ", text + "\t", text + "\n",
        ]
        for list in lists { #expect(try verdict(Array(list.utf8)).rejection == .multiple) }
        let malformed = [
            "", ".", "..", text + ".", "." + text, text + "=", text + "~", text + "+/", text + "\0",
            parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".", "." + parts[1] + "." + parts[2],
            text + "." + parts[2], "{}", text.replacingCharacter("-", with: "+"),
        ]
        for bytes in malformed where bytes != text {
            #expect(try verdict(Array(bytes.utf8)).rejection == .jws(.malformed), "\(bytes)")
        }
        let five = text + ".AA.AA"
        #expect(try verdict(Array(five.utf8)).rejection == .jws(.encrypted))
    }

    @Test(
        "D3, D4, D5, D22, P3, P4: The header says exactly what it is",
        arguments: [
            Change("D4", "typ", #""dpop+jwt""#, nil), Change("D4", "typ", #""DPoP+JWT""#, nil),
            Change("D4", "typ", #""application/dpop+jwt""#, nil), Change("D4", "typ", nil, .type),
            Change("D4", "typ", #""JWT""#, .type), Change("D4", "typ", #""at+jwt""#, .type),
            Change("D4", "typ", #""dpop+jwt ""#, .type), Change("D4", "typ", #""text/dpop+jwt""#, .type),
            Change("D4", "typ", #""wpt+jwt""#, .type), Change("D4", "typ", "1", .jws(.header)),
            Change("D5", "alg", #""none""#, .jws(.algorithm)), Change("D5", "alg", #""HS256""#, .jws(.algorithm)),
            Change("D5", "alg", #""es256""#, .jws(.algorithm)), Change("D5", "alg", #""PS384""#, .jws(.algorithm)),
            Change("D5", "alg", #""ES384""#, .jws(.keyAlgorithm)),
            Change("D5", "alg", #""RS256""#, .jws(.keyAlgorithm)),
            Change("D5", "alg", #""Ed25519""#, .jws(.keyAlgorithm)), Change("D3", "alg", nil, .jws(.header)),
            Change("D3", "alg", "256", .jws(.header)), Change("D3", "jwk", nil, .key),
            Change("D3", "jwk", "[]", .key), Change("D3", "jwk", #""jwk""#, .key), Change("D3", "jwk", "{}", .key),
            Change("D22", "kid", #""ignored""#, nil), Change("D22", "x", #"{"y":[1]}"#, nil),
            Change("P3", "crit", #"["exp"]"#, .jws(.critical)), Change("P3", "crit", "[]", .jws(.critical)),
            Change("P4", "b64", "false", .jws(.critical)), Change("J3", "enc", #""A128GCM""#, .jws(.encrypted)),
            Change("J6", "zip", #""DEF""#, .jws(.encrypted)), Change("P11", "jku", #""https://evil.test""#, nil),
        ])
    private func header(change: Change) throws {
        let proof = try ProofMaker.standard().proof(header: [change.member: change.value])
        #expect(try verdict(proof).rejection == change.rejection)
    }

    @Test("J1: Only algorithms of the operator's list are accepted")
    func allowList() throws {
        let proof = try ProofMaker.standard().proof()
        var call = Call()
        call.policy = DPoPPolicy(algorithms: [.ed25519], acceptWindow: .seconds(60), futureSkew: .seconds(10))
        #expect(try verdict(proof, call).rejection == .jws(.algorithm))
        call.policy = DPoPPolicy(algorithms: [.ed25519, .es256], acceptWindow: .seconds(60), futureSkew: .seconds(10))
        #expect(try verdict(proof, call).isAccepted)
    }

    @Test("P1, P15: Header and payload are strict JSON")
    func json() throws {
        let maker = try ProofMaker.standard()
        let jwk = ProofMaker.json(maker.jwk, [:])
        let header = #"{"alg":"ES256","typ":"dpop+jwt","jwk":\#(jwk)}"#
        let payload = ProofMaker.json(ProofMaker.claims, [:])
        #expect(try verdict(try maker.sign(header: header, payload: payload)).isAccepted)
        let headers = [
            #"{"alg":"ES256","alg":"ES256","typ":"dpop+jwt","jwk":\#(jwk)}"#,
            #"{"alg":"ES256","al\u0067":"none","typ":"dpop+jwt","jwk":\#(jwk)}"#,
            #"{"alg":"ES256","typ":"dpop+jwt","jwk":{"kty":"EC",\#(jwk.dropFirst())}"#, header + " 1",
            "\u{FEFF}" + header,
            "[]", "null", "",
        ]
        for text in headers {
            let rejection = try verdict(try maker.sign(header: text, payload: payload)).rejection
            #expect(rejection == (text.isEmpty ? .jws(.malformed) : .jws(.header)), "\(text)")
        }
        let duplicate = #"{"jti":"a",\#(payload.dropFirst())"#
        let escaped = #"{"jt\u0069":"a",\#(payload.dropFirst())"#
        for text in [duplicate, escaped, payload + "x", "", #"{"a":NaN}"#, #"{"a":"\ud800"}"#] {
            #expect(try verdict(try maker.sign(header: header, payload: text)).rejection == .payload, "\(text)")
        }
        #expect(try verdict(try maker.sign(header: header, payload: "[]")).rejection == .missing(.method))
    }

    // MARK: Claims

    @Test(
        "D3, D8, D11, D12, D13, D22, P13: Every claim has its type and its value",
        arguments: [
            Change("D3", "jti", nil, .missing(.identifier)), Change("D3", "htm", nil, .missing(.method)),
            Change("D3", "htu", nil, .missing(.uri)), Change("D3", "iat", nil, .missing(.issuedAt)),
            Change("D3", "ath", nil, .missing(.accessTokenHash)),
            Change("D8", "htm", #""get""#, .method), Change("D8", "htm", #""POST""#, .method),
            Change("D8", "htm", #""GET ""#, .method), Change("D8", "htm", #"["GET"]"#, .invalid(.method)),
            Change("D8", "htm", #""""#, .invalid(.method)), Change("D8", "htm", #""\u0047ET""#, nil),
            Change("D9", "htu", #""https://api.example.test/orders/18""#, .uri),
            Change("D9", "htu", "17", .invalid(.uri)),
            Change("D9", "htu", #""/orders/17""#, .uri),
            Change("D9", "htu", #""https:\/\/localhost:8443/orders/17""#, nil),
            Change("D11", "iat", "1799999940", nil), Change("D11", "iat", "1799999939", .past),
            Change("D11", "iat", "1800000010", nil), Change("D11", "iat", "1800000011", .future),
            Change("D11", "iat", "1799999999.5", nil), Change("D11", "iat", "1799999939.9", .past),
            Change("D11", "iat", "1.8e9", nil), Change("D11", "iat", #""1800000000""#, .invalid(.issuedAt)),
            Change("D11", "iat", "-1", .invalid(.issuedAt)), Change("D11", "iat", "0", .past),
            Change("D11", "iat", "-0", .past), Change("D11", "iat", "1e400", .invalid(.issuedAt)),
            Change("D11", "iat", "1800000000000", .invalid(.issuedAt)),
            Change("D11", "iat", "null", .invalid(.issuedAt)),
            Change("D11", "iat", "true", .invalid(.issuedAt)),
            Change("D11", "iat", "99999999999999999999999999", .invalid(.issuedAt)),
            Change("D11", "exp", "1800000001", nil), Change("D11", "exp", "1799999990", .expired),
            Change("D11", "exp", "1799999991", nil), Change("D11", "exp", #""1800000001""#, .invalid(.expiry)),
            Change("D11", "nbf", "1800000010", nil), Change("D11", "nbf", "1800000011", .notYetValid),
            Change("D11", "nbf", "[]", .invalid(.notBefore)),
            Change("D12", "jti", #""""#, .invalid(.identifier)), Change("D12", "jti", "1", .invalid(.identifier)),
            Change("D12", "jti", "\"\(String(repeating: "j", count: 256))\"", nil),
            Change("D12", "jti", "\"\(String(repeating: "j", count: 257))\"", .invalid(.identifier)),
            Change("D12", "jti", #""\u0000 é,""#, nil),
            Change("D13", "ath", #""fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo=""#, .invalid(.accessTokenHash)),
            Change("D13", "ath", #""fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEp""#, .invalid(.accessTokenHash)),
            Change("D13", "ath", #""gUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo""#, .token),
            Change("D13", "ath", #""""#, .invalid(.accessTokenHash)),
            Change("D13", "ath", "7", .invalid(.accessTokenHash)),
            Change("D10", "nonce", #""n""#, nil), Change("D10", "nonce", "1", .invalid(.nonce)),
            Change("D10", "nonce", #""""#, .invalid(.nonce)), Change("D22", "extra", #"{"a":[true]}"#, nil),
        ])
    private func claims(change: Change) throws {
        let proof = try ProofMaker.standard().proof([change.member: change.value])
        #expect(try verdict(proof).rejection == change.rejection)
    }

    @Test("D8: The method is the request's, whatever it is")
    func method() throws {
        let proof = try ProofMaker.standard().proof(["htm": #""PURGE-all""#])
        #expect(try verdict(proof, Call(method: "PURGE-all")).isAccepted)
        #expect(try verdict(proof, Call(method: "PURGE-ALL")).rejection == .method)
        #expect(try verdict(proof, Call(method: "PURGE")).rejection == .method)
    }

    @Test("D13: A proof is for one token: RFC 9449, figure 13")
    func accessToken() throws {
        let proof = try ProofMaker.standard().proof()
        #expect(try verdict(proof).isAccepted)
        #expect(try verdict(proof, Call(token: ProofMaker.token + "x")).rejection == .token)
        #expect(try verdict(proof, Call(token: "")).rejection == .token)
    }

    @Test("D6, D13, D14: The proof of RFC 9449, figures 12 and 13, is for its call and no other")
    func publishedExample() throws {
        let proof = """
            eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQy\
            VVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJl\
            MWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlh\
            dCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EO\
            ptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA
            """
        let thumbprint = try #require(decoded("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"))
        let boundKey = Digest256(thumbprint.span)
        #expect(boundKey != nil)
        var call = Call(
            path: "/protectedresource", boundKey: boundKey, now: UnixTime(seconds: 1_562_262_620))
        call.origins = ["https://resource.example.org"].compactMap(TargetOrigin.init)
        #expect(try verdict(Array(proof.utf8), call).isAccepted)
        call.path = "/protectedresource/"
        #expect(try verdict(Array(proof.utf8), call).rejection == .uri)
        call.path = "/protectedresource"
        call.now = UnixTime(seconds: 1_562_262_618 + 61)
        #expect(try verdict(Array(proof.utf8), call).rejection == .past)
    }

    @Test("Every rejection has its own stable reason")
    func reasons() {
        let rejections: [DPoPRejection] = [
            .expired, .future, .jws(.malformed), .jws(.algorithm), .jws(.keyAlgorithm), .jws(.signature), .key,
            .keyBinding,
            .keyUse, .method, .multiple, .notYetValid, .past, .payload, .privateKey, .symmetricKey, .token, .type, .uri,
        ]
        let claims = DPoPClaim.allCases
        let reasons =
            rejections.map(\.reason)
            + claims.flatMap {
                [DPoPRejection.missing($0).reason, DPoPRejection.invalid($0).reason]
            }
        #expect(Set(reasons).count == reasons.count)
        #expect(reasons.allSatisfy { $0.hasPrefix("dpop.") })
        #expect(DPoPRejection.uri.reason == "dpop.htu")
        #expect(DPoPRejection.jws(.signature).reason == "dpop.signature")
        #expect(DPoPRejection.missing(.accessTokenHash).reason == "dpop.claim-missing.ath")
    }

    @Test("D14: The key is the one that the token is bound to")
    func binding() throws {
        let (maker, other) = (try ProofMaker.standard(), try ProofMaker.other())
        let call = Call(boundKey: maker.key.publicKey.thumbprint)
        #expect(try verdict(try maker.proof(), call).isAccepted)
        #expect(try verdict(try other.proof(), call).rejection == .keyBinding)
    }
}

extension String {
    fileprivate func replacingCharacter(_ character: Character, with other: Character) -> String {
        String(map { $0 == character ? other : $0 })
    }
}
