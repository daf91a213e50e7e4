import Bytes
import Cryptography
import JSON
import Testing

@testable import sallyport

@Suite("TrialCall")
struct TrialCallTests {
    private let key: PrivateKey
    private let now = UnixTime(seconds: 1_800_000_000)

    init() throws {
        key = try PrivateKey.generate(.ellipticCurve(.p256))
    }

    /// A token of some type with some confirmation.
    private func token(_ type: String, cnf: String?) throws -> String {
        var jwt = TrialJWT()
        jwt.header.set("typ", type)
        jwt.claims.set("cnf", json: cnf)
        return try jwt.signed(by: key, with: .es256)
    }

    private func fields(_ credentials: TrialCredentials, nonce: String? = nil) throws -> [String] {
        let url = try #require(HTTPSURL("https://localhost:8443/orders/7?x=1"))
        return try credentials.fields(method: "GET", url: url, nonce: nonce, now: now)
    }

    /// The value of a claim of the proof in a field, as written.
    private func claim(_ name: String, of field: String) throws -> String? {
        let proof = try #require(field.split(separator: " ").last)
        let payload = String(proof.split(separator: ".")[1])
        let decoded = Base64URL.decode(payload.utf8.span)
        let bytes = try #require(decoded)
        let document = try JSONDocument(bytes.span)
        guard let raw = document.root.member(named: name)?.raw else { return nil }
        return String(decoding: Array(copying: raw), as: UTF8.self)
    }

    @Test(
        "A token that is bound to no key goes alone",
        arguments: [nil, "{\"x5t#S256\":\"AA\"}", "{}"])
    func bearer(_ cnf: String?) throws {
        let token = try token("at+jwt", cnf: cnf)
        let credentials = TrialCredentials(token: token, proofKey: key)
        #expect(try fields(credentials) == ["Authorization: Bearer \(token)"])
    }

    @Test("So does what is no JWT", arguments: ["", "opaque", "a.b", "a.b.c", "e30.e30.e30.e30"])
    func opaque(_ token: String) throws {
        let credentials = TrialCredentials(token: token, proofKey: key)
        #expect(try fields(credentials) == ["Authorization: Bearer \(token)"])
    }

    @Test("A token bound to a key goes with a DPoP proof", arguments: ["{\"jkt\":\"AA\"}", "{\"jwk\":{}}"])
    func dpop(_ cnf: String) throws {
        let token = try token("at+jwt", cnf: cnf)
        let made = try fields(TrialCredentials(token: token, proofKey: key))
        #expect(made.count == 2)
        #expect(made[0] == "Authorization: DPoP \(token)")
        #expect(made[1].hasPrefix("DPoP: "))
        #expect(try claim("htm", of: made[1]) == "\"GET\"")
        #expect(try claim("htu", of: made[1]) == "\"https://localhost:8443/orders/7\"")
        #expect(try claim("iat", of: made[1]) == "1800000000")
        let hash = try CryptographicEngine().sha256(token.utf8.span).base64URL
        #expect(try claim("ath", of: made[1]) == "\"\(hash)\"")
        #expect(try claim("nonce", of: made[1]) == nil)
    }

    @Test("A nonce is repeated, and each proof is another")
    func nonce() throws {
        let credentials = TrialCredentials(token: try token("at+jwt", cnf: "{\"jkt\":\"AA\"}"), proofKey: key)
        let first = try fields(credentials, nonce: "n-1")[1]
        let second = try fields(credentials, nonce: "n-1")[1]
        #expect(try claim("nonce", of: first) == "\"n-1\"")
        #expect(try claim("jti", of: first) != claim("jti", of: second))
    }

    @Test("A Workload Identity Token goes with a Workload Proof Token")
    func workload() throws {
        let token = try token("wit+jwt", cnf: "{\"jwk\":{}}")
        let made = try fields(TrialCredentials(token: token, proofKey: key))
        #expect(made.count == 2)
        #expect(made[0] == "Workload-Identity-Token: \(token)")
        #expect(made[1].hasPrefix("Workload-Proof-Token: "))
        #expect(try claim("aud", of: made[1]) == "\"https://localhost:8443/orders/7\"")
        #expect(try claim("exp", of: made[1]) == "1800000030")
        let hash = try CryptographicEngine().sha256(token.utf8.span).base64URL
        #expect(try claim("wth", of: made[1]) == "\"\(hash)\"")
    }

    @Test("Without a key there is no proof", arguments: ["at+jwt", "wit+jwt"])
    func noKey(_ type: String) throws {
        let token = try token(type, cnf: "{\"jkt\":\"AA\"}")
        #expect(try fields(TrialCredentials(token: token, proofKey: nil)).count == 1)
        #expect(try fields(TrialCredentials(token: token, proofKey: key)).count == 2)
    }

    @Test(
        "A URL's query and fragment are not what a proof names",
        arguments: [
            ("https://localhost/a?b", "https://localhost/a"), ("https://localhost:1/a#b?c", "https://localhost:1/a"),
            ("https://localhost?b", "https://localhost/"), ("https://[::1]:1/a%2fb/", "https://[::1]:1/a%2fb/"),
        ])
    func withoutQuery(_ text: String, _ expected: String) throws {
        #expect(try #require(HTTPSURL(text)).withoutQuery == expected)
    }

    @Test(
        "A nonce is demanded by a 401 that says so",
        arguments: [
            (401, "DPoP error=\"use_dpop_nonce\"", "n-1" as String?, "n-1" as String?),
            (400, "DPoP error=\"use_dpop_nonce\"", "n-1", nil),
            (401, "DPoP error=\"invalid_dpop_proof\"", "n-1", nil),
            (401, "DPoP error=\"use_dpop_nonce\"", nil, nil),
        ])
    func demandedNonce(_ status: Int, _ challenge: String, _ nonce: String?, _ expected: String?) {
        var fields = [(name: "WWW-Authenticate", value: challenge)]
        if let nonce { fields.append((name: "DPoP-Nonce", value: nonce)) }
        let answer = TrialCall.Answer(status: status, fields: fields, body: [])
        #expect(answer.demandedNonce == expected)
    }

    @Test("A request is written whole, with the caller's own fields behind its credentials")
    func request() throws {
        let token = try token("at+jwt", cnf: nil)
        var call = TrialCall(method: "POST", url: try #require(HTTPSURL("https://localhost:1/a?b")))
        call.credentials = TrialCredentials(token: token, proofKey: nil)
        call.fields = ["X-A: b"]
        call.body = "hi"
        let expected = [
            "POST /a?b HTTP/1.1", "Host: localhost:1", "Authorization: Bearer \(token)", "X-A: b", "Content-Length: 2",
            "Connection: close", "", "hi",
        ]
        #expect(try call.request(nonce: nil, now: now) == expected.joined(separator: "\r\n"))
    }
}
