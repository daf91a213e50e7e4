import Bytes
import Cryptography
import Identity
import Revocation
import Support
import Tokens

@testable import Control

/// What one feed publishes: status lists and events, signed by the broker.
enum TrialFeed {
    static let lists = "https://lists.example.test/lists/"
    static let audience = "urn:gateway"
    static let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    static let verification = "https://schemas.openid.net/secevent/ssf/event-type/verification"
    static let updated = "https://schemas.openid.net/secevent/ssf/event-type/stream-updated"

    static func signer(_ broker: Broker? = nil) throws -> FeedSigner {
        FeedSigner(
            issuer: Broker.issuer, keys: try (broker ?? Broker.standard()).keySet(), algorithms: [.es256])
    }

    static func terms(_ broker: Broker? = nil) throws -> EventTerms {
        EventTerms(
            signer: try signer(broker),
            lifetimes: RevocationTerms(tokenLifetimes: [:], lastAuthorityEnd: Broker.now + .seconds(86_400)))
    }

    /// An answer with a list of eight statuses of one bit, of which the first is 1.
    static func list(
        _ name: String, issued: UnixTime = Broker.now, fields: [String: String] = [:],
        _ changed: [String: String?] = [:]
    ) throws -> Result<IncomingResponse, RetrievalError> {
        let claims = [
            "sub": "\"\(lists)\(name)\"", "iat": "\(issued.seconds)",
            // The byte 01, compressed by hand: a stored block.
            "status_list": #"{"bits":1,"lst":"eAEBAQD-_wEAAgAC"}"#,
        ]
        let token = try Broker.standard().sign(
            header: #"{"alg":"ES256","typ":"statuslist+jwt","kid":"k-1"}"#, payload: Broker.json(claims, changed))
        return .success(IncomingResponse(status: 200, fields: fields, body: token))
    }

    /// A token that tells of one event.
    static func event(
        _ name: String, _ event: String = "{\"\(revoked)\":{}}", about agent: String = "agent-7",
        by broker: Broker? = nil, changing changed: [String: String?] = [:], keyID: String = "k-1"
    ) throws -> String {
        let claims = [
            "iss": "\"\(Broker.issuer)\"", "aud": "\"\(audience)\"", "iat": "1800000000", "jti": "\"\(name)\"",
            "sub_id": "{\"format\":\"opaque\",\"id\":\"\(agent)\"}", "events": event,
        ]
        let token = try (broker ?? Broker.standard()).sign(
            header: "{\"alg\":\"ES256\",\"typ\":\"secevent+jwt\",\"kid\":\"\(keyID)\"}",
            payload: Broker.json(claims, changed))
        return String(decoding: token, as: UTF8.self)
    }

    /// A transmitter's answer with those tokens.
    static func answer(
        _ tokens: [(name: String, token: String)], more: Bool = false
    ) -> Result<IncomingResponse, RetrievalError> {
        let sets = tokens.map { "\"\($0.name)\":\"\($0.token)\"" }.joined(separator: ",")
        let body = "{\"sets\":{\(sets)}\(more ? ",\"moreAvailable\":true" : "")}"
        return .success(IncomingResponse(status: 200, body: Array(body.utf8)))
    }
}
