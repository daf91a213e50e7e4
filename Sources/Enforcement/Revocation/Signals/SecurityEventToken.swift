public import Bytes
public import Cryptography
import JSON
import Tokens

/// A security event token that was verified: somebody we believe tells us of events (RFC 8417).
///
/// Only ``verify(_:by:audience:engine:now:)`` can make it.
public struct SecurityEventToken: Equatable, Sendable {
    /// Its identifier, unique for the issuer (`jti`).
    public let tokenID: String
    /// When it was issued.
    public let issuedAt: UnixTime
    /// What it tells of; at least one event.
    public let events: [SecurityEvent]

    /// How far the transmitter's clock may be ahead of ours.
    public static let clockLeeway = Interval.seconds(60)
    /// The most bytes of an identifier.
    public static let maximumIDLength = 256

    fileprivate init(tokenID: String, issuedAt: UnixTime, events: [SecurityEvent]) {
        self.tokenID = tokenID
        self.issuedAt = issuedAt
        self.events = events
    }

    /// Verifies a token.
    ///
    /// A token with `sub` or `exp` is refused, so that no access token passes for one (RFC 8417 §4.5, §4.6); the subject is in
    /// `sub_id` (RFC 9493 §4.1).
    ///
    /// - Parameters:
    ///   - compact: the token in compact form.
    ///   - signer: who must have signed it; `iss` must be the signer.
    ///   - audience: what `aud` must be, or hold.
    ///   - engine: the thread's.
    ///   - now: the time.
    public static func verify(
        _ compact: Span<UInt8>, by signer: FeedSigner, audience: String, engine: CryptographicEngine, now: UnixTime
    ) throws(SecurityEventFault) -> SecurityEventToken {
        let jws = try authenticated(compact, by: signer, engine: engine)
        let document = try document(jws.payload.span)
        let claims = document.root
        guard claims.kind == .object else { throw .payload }
        guard let issuer = claims.member("iss"), issuer.kind == .string else { throw .claim("iss") }
        guard issuer.equals(utf8: signer.issuer) else { throw .issuer }
        guard try isMeant(claims.member("aud"), for: audience) else { throw .audience }
        for name in ["sub", "exp"] where claims.member(named: name) != nil { throw .forbidden(name) }
        guard let issued = claims.member("iat"), let issuedAt = NumericDate.time(issued) else { throw .claim("iat") }
        guard issuedAt <= now + clockLeeway else { throw .issuedInFuture }
        guard let tokenID = identifier(claims.member("jti")) else { throw .claim("jti") }
        guard let events = claims.member("events"), events.kind == .object, events.count > 0 else {
            throw .claim("events")
        }
        guard let subject = claims.member("sub_id"), subject.kind == .object else { throw .claim("sub_id") }
        var read: [SecurityEvent] = []
        var members = events.members
        while let event = members.next() {
            guard event.value.kind == .object else { throw .claim("events") }
            read.append(try SecurityEvent(type: event.name, content: event.value, subject: subject))
        }
        return SecurityEventToken(tokenID: tokenID, issuedAt: issuedAt, events: read)
    }

    /// An identifier of visible characters, as a transmitter names a token by; nothing for anything else.
    private static func identifier(_ value: JSONValue?) -> String? {
        guard let text = value?.string, (1...maximumIDLength).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return text
    }

    private static func authenticated(
        _ compact: Span<UInt8>, by signer: FeedSigner, engine: CryptographicEngine
    ) throws(SecurityEventFault) -> CompactJWS {
        do throws(JWSError) {
            if let jws = try signer.authenticate(compact, type: "secevent+jwt", engine: engine) { return jws }
        } catch {
            throw .jws(error)
        }
        throw .type
    }

    private static func document(_ payload: Span<UInt8>) throws(SecurityEventFault) -> JSONDocument {
        do throws(JSONError) {
            let document = try JSONDocument(payload)
            return document
        } catch {
            throw .payload
        }
    }

    /// Whether `aud`, a string or an array of strings, names the audience (RFC 7519 §4.1.3).
    private static func isMeant(_ value: JSONValue?, for audience: String) throws(SecurityEventFault) -> Bool {
        guard let value else { throw .claim("aud") }
        if value.kind == .string { return value.equals(utf8: audience) }
        guard value.kind == .array, value.count > 0 else { throw .claim("aud") }
        var isMeant = false
        var elements = value.elements
        while let element = elements.next() {
            guard element.kind == .string else { throw .claim("aud") }
            if element.equals(utf8: audience) { isMeant = true }
        }
        return isMeant
    }
}
