import Bytes
import Cryptography
import Foundation
import Identity
import Revocation
import Support
import Tokens

/// Security event tokens of one transmitter: none is accepted but by its key and for us, and what one takes back is what
/// Foundation reads in it.
final class SecurityEventHarness: Harness {
    private static let audience = "https://gateway.example.test"

    private let owner: PrivateKey
    private let stranger: PrivateKey
    private let engine: CryptographicEngine
    private let signer: FeedSigner
    private let other: FeedSigner

    init() throws {
        owner = try PublishedKey.ellipticCurve()
        stranger = try PublishedKey.ed25519()
        engine = try CryptographicEngine()
        signer = FeedSigner(
            issuer: Broker.issuer, keys: try Broker(key: owner, algorithm: .es256).keySet(), algorithms: [.es256])
        other = FeedSigner(
            issuer: Broker.issuer, keys: try Broker(key: stranger, algorithm: .ed25519).keySet(),
            algorithms: [.ed25519])
    }

    func accepts(_ input: Span<UInt8>) throws(Violation) -> Bool {
        guard let token = verify(input, by: signer) else { return false }
        let jws = try demand(try? CompactJWS(input), "a token is a JWS")
        let message = input.extracting(jws.signingInput)
        let signature = jws.signature
        try demand(
            engine.verifies(signature.span, of: message, by: owner.publicKey, with: .es256),
            "a token is signed by its transmitter's key")
        try demand(verify(input, by: signer) == token, "a token is judged the same twice")
        try demand(verify(input, by: other) == nil, "a token is of one transmitter's key")
        try demand(
            verify(input, by: signer, audience: Self.audience + "/") == nil || namesBoth(jws.payload),
            "a token is for whom it names")
        try check(token, jws.payload)
        return true
    }

    func mutated(_ input: [UInt8], by mutation: Mutation) -> [UInt8]? {
        CompactForm.mutated(input, by: mutation, owner: owner, stranger: stranger)
    }

    private func verify(
        _ input: Span<UInt8>, by signer: FeedSigner, audience: String = audience
    ) -> SecurityEventToken? {
        do throws(SecurityEventFault) {
            return try SecurityEventToken.verify(
                input, by: signer, audience: audience, engine: engine, now: Broker.now)
        } catch {
            return nil
        }
    }

    private func namesBoth(_ payload: [UInt8]) -> Bool {
        let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        return (object?["aud"] as? [String])?.contains(Self.audience + "/") == true
    }

    private func check(_ token: SecurityEventToken, _ payload: [UInt8]) throws(Violation) {
        let object = try? JSONSerialization.jsonObject(with: Data(payload)) as? [String: Any]
        let members = try demand(object, "Foundation reads the claims as an object")
        try demand(members["iss"] as? String == Broker.issuer, "the issuer is the signer")
        try demand(members["jti"] as? String == token.tokenID, "the identifier is what Foundation reads")
        try demand(members["sub"] == nil && members["exp"] == nil, "a token is of no other kind")
        let audiences = members["aud"] as? [String] ?? [members["aud"] as? String ?? ""]
        try demand(audiences.contains(Self.audience), "the token is meant for us")
        let events = try demand(members["events"] as? [String: Any], "Foundation reads the events as an object")
        try demand(events.count == token.events.count, "every event is read")
        let subject = try demand(members["sub_id"] as? [String: Any], "Foundation reads the subject as an object")
        let texts = Set(Self.texts(subject) + Self.texts(events))
        for case .revocation(let targets, _) in token.events {
            try demand(!targets.isEmpty, "what takes back takes something back")
            for target in targets { try check(target, texts) }
        }
    }

    /// Whatever is taken back is named somewhere in the token.
    private func check(_ target: SignalTarget, _ texts: Set<String>) throws(Violation) {
        if let issuer = target.issuer { try demand(texts.contains(issuer), "the issuer is what Foundation reads") }
        switch target.level {
        case .token, .agent, .chain:
            try demand(texts.contains(target.value), "the name is what Foundation reads")
        case .task:
            let isNamed =
                texts.contains(target.value)
                || texts.contains {
                    target.value.hasPrefix($0 + "/") && texts.contains(String(target.value.dropFirst($0.count + 1)))
                }
            try demand(isNamed, "the task is what Foundation reads")
        case .certificate:
            let plain = texts.map { $0.lowercased().filter { $0 != ":" } }
            try demand(plain.contains(target.value), "the certificate is what Foundation reads")
        case .key:
            try demand(texts.contains { $0.hasSuffix(target.value) }, "the key is what Foundation reads")
            try demand(Digest256(base64URL: target.value.utf8.span) != nil, "the key is named by its thumbprint")
        case .everything: throw Violation(property: "no event takes back everything")
        }
    }

    /// Every string within an object.
    private static func texts(_ object: Any) -> [String] {
        if let text = object as? String { return [text] }
        if let members = object as? [String: Any] { return members.values.flatMap(texts) }
        if let elements = object as? [Any] { return elements.flatMap(texts) }
        return []
    }
}
