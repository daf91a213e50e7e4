import Bytes
import Cryptography
import Identity
import Support
import Testing
import Tokens

@testable import Revocation

/// Security event tokens of one transmitter.
enum TrialEvents {
    static let audience = "https://gateway.example.test"
    static let caep = "https://schemas.openid.net/secevent/caep/event-type/"
    static let ssf = "https://schemas.openid.net/secevent/ssf/event-type/"
    static let claims: [String: String] = [
        "iss": "\"\(Broker.issuer)\"", "aud": "\"\(audience)\"", "iat": "1800000000", "jti": #""e-1""#,
        "sub_id": #"{"format":"opaque","id":"agent-7"}"#, "events": "{\"\(caep)session-revoked\":{}}",
    ]
    static let header: [String: String] = ["alg": #""ES256""#, "typ": #""secevent+jwt""#, "kid": #""k-1""#]

    static func verify(
        _ changed: [String: String?] = [:], header changedHeader: [String: String?] = [:], by broker: Broker? = nil,
        now: UnixTime = Broker.now
    ) throws -> Result<SecurityEventToken, SecurityEventFault> {
        let owner = try Broker.standard()
        let token = try (broker ?? owner).sign(
            header: Broker.json(header, changedHeader), payload: Broker.json(claims, changed))
        let signer = FeedSigner(issuer: Broker.issuer, keys: try owner.keySet(), algorithms: [.es256])
        let engine = try CryptographicEngine()
        return Result { () throws(SecurityEventFault) in
            try SecurityEventToken.verify(token.span, by: signer, audience: audience, engine: engine, now: now)
        }
    }

    static func fault(
        _ changed: [String: String?] = [:], header: [String: String?] = [:]
    ) throws -> SecurityEventFault? {
        if case .failure(let fault) = try verify(changed, header: header) { fault } else { nil }
    }

    /// The one event of a token about `subject`.
    static func event(
        _ type: String, _ content: String = "{}", about subject: String = #"{"format":"opaque","id":"agent-7"}"#
    ) throws -> Result<SecurityEvent?, SecurityEventFault> {
        try verify(["events": "{\"\(type)\":\(content)}", "sub_id": subject]).map(\.events.first)
    }
}

@Suite("SecurityEventToken")
struct SecurityEventTokenTests {
    @Test("A token is read with all that it says")
    func token() throws {
        let token = try TrialEvents.verify().get()
        #expect(token.tokenID == "e-1")
        #expect(token.issuedAt == Broker.now)
        #expect(token.events == [.revocation([SignalTarget(.agent, "agent-7")], reason: "session-revoked")])
    }

    @Test("It may tell of several events")
    func several() throws {
        let events = "{\"\(TrialEvents.caep)session-revoked\":{},\"\(TrialEvents.ssf)verification\":{\"state\":\"s\"}}"
        let token = try TrialEvents.verify(["events": events]).get()
        #expect(
            token.events == [
                .revocation([SignalTarget(.agent, "agent-7")], reason: "session-revoked"), .verification,
            ])
    }

    @Test(
        "A claim that is missing or wrong is named",
        arguments: [
            ("iss", nil, "iss"), ("iss", "7", "iss"), ("aud", nil, "aud"), ("aud", "7", "aud"), ("aud", "[]", "aud"),
            ("aud", "[7]", "aud"), ("iat", nil, "iat"), ("iat", "\"1800000000\"", "iat"), ("jti", nil, "jti"),
            ("jti", "7", "jti"), ("jti", "\"\"", "jti"), ("jti", "\"a b\"", "jti"), ("events", nil, "events"),
            ("events", "{}", "events"), ("events", "[]", "events"), ("events", "{\"a\":1}", "events"),
            ("sub_id", nil, "sub_id"), ("sub_id", "\"agent-7\"", "sub_id"), ("sub_id", "{}", "sub_id.format"),
        ] as [(String, String?, String)])
    func claims(name: String, value: String?, fault: String) throws {
        #expect(try TrialEvents.fault([name: value]) == .claim(fault))
    }

    @Test("No token of another kind passes for one", arguments: ["sub", "exp"])
    func forbidden(name: String) throws {
        #expect(try TrialEvents.fault([name: "1800000300"]) == .forbidden(name))
    }

    @Test("It must call itself one")
    func type() throws {
        #expect(try TrialEvents.fault(header: ["typ": #""application/secevent+jwt""#]) == nil)
        #expect(try TrialEvents.fault(header: ["typ": #""at+jwt""#]) == .type)
        #expect(try TrialEvents.fault(header: ["typ": nil]) == .type)
    }

    @Test("It is for us, of whom we believe")
    func parties() throws {
        #expect(try TrialEvents.fault(["aud": "[\"a\",\"\(TrialEvents.audience)\"]"]) == nil)
        #expect(try TrialEvents.fault(["aud": #""https://other.example.test""#]) == .audience)
        #expect(try TrialEvents.fault(["iss": #""https://other.example.test""#]) == .issuer)
    }

    @Test("It is not of the future, and however old")
    func time() throws {
        #expect(try TrialEvents.verify(now: Broker.now - .seconds(60)).map(\.tokenID) == .success("e-1"))
        #expect(try TrialEvents.verify(now: Broker.now - .seconds(61)).map(\.tokenID) == .failure(.issuedInFuture))
        #expect(try TrialEvents.verify(now: Broker.now + .seconds(1_000_000)).map(\.tokenID) == .success("e-1"))
    }

    @Test("Nobody else's signature counts; a key that is not known yet may come")
    func signature() throws {
        let stranger = Broker(key: try PrivateKey.generate(.ellipticCurve(.p256)), algorithm: .es256)
        #expect(try TrialEvents.verify(by: stranger).map(\.tokenID) == .failure(.jws(.signature)))
        let unknown = try TrialEvents.fault(header: ["kid": #""k-2""#])
        #expect(unknown == .jws(.key))
        #expect(unknown?.isUnsettled == true)
        #expect(try TrialEvents.fault(header: ["alg": #""none""#]) == .jws(.algorithm))
        #expect(!SecurityEventFault.jws(.signature).isUnsettled)
    }

    @Test(
        "Each fault has a code of RFC 8935",
        arguments: [
            (.audience, "invalid_audience"), (.issuer, "invalid_issuer"), (.jws(.key), "invalid_key"),
            (.jws(.signature), "invalid_key"), (.jws(.malformed), "invalid_request"), (.payload, "invalid_request"),
            (.claim("jti"), "invalid_request"), (.subject("a"), "invalid_request"), (.type, "invalid_request"),
        ] as [(SecurityEventFault, String)])
    func codes(fault: SecurityEventFault, code: String) {
        #expect(fault.code == code)
        #expect(!fault.description.isEmpty)
    }
}
