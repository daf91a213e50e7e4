import Bytes
import JSON

/// One event of a security event token, as far as it concerns us.
public enum SecurityEvent: Equatable, Sendable {
    /// It says nothing that we act on; for that reason.
    case ignored(String)
    /// It takes things back, for a reason that people can read.
    case revocation([SignalTarget], reason: String)
    /// The transmitter changes its stream: it is interrupted, or goes on (SSF §8.1.5).
    case stream(isEnabled: Bool)
    /// The transmitter shows that the stream works (SSF §8.1.4).
    case verification

    private static let caep: StaticString = "https://schemas.openid.net/secevent/caep/event-type/"
    private static let ssf: StaticString = "https://schemas.openid.net/secevent/ssf/event-type/"

    /// Reads one event.
    ///
    /// - Parameters:
    ///   - type: the event's URI.
    ///   - content: its members.
    ///   - subject: whom it is about: `sub_id` of the token.
    init(type: Span<UInt8>, content: JSONValue, subject: JSONValue) throws(SecurityEventFault) {
        if let name = Self.name(of: type, behind: Self.caep) {
            if name.equals("session-revoked") {
                self = try Self.sessionRevoked(content, subject)
                return
            }
            if name.equals("credential-change") {
                self = try CredentialChange.event(content, subject)
                return
            }
        } else if let name = Self.name(of: type, behind: Self.ssf) {
            if name.equals("verification") {
                self = .verification
                return
            }
            if name.equals("stream-updated") {
                guard let status = content.member("status"), status.kind == .string else { throw .claim("status") }
                self = .stream(isEnabled: status.equals("enabled"))
                return
            }
        }
        self = .ignored("events of its type take nothing back")
    }

    @_lifetime(copy type)
    private static func name(of type: Span<UInt8>, behind prefix: StaticString) -> Span<UInt8>? {
        let count = prefix.utf8CodeUnitCount
        guard type.count > count, type.extracting(0..<count).equals(prefix) else { return nil }
        return type.extracting(count..<type.count)
    }

    /// Everything of the subject ends: its tokens, what it does, and what is done in its name.
    private static func sessionRevoked(
        _ content: JSONValue, _ subject: JSONValue
    ) throws(SecurityEventFault) -> SecurityEvent {
        let targets = try EventSubject.targets(of: subject)
        guard !targets.isEmpty else { return .ignored("its subject is nothing that agents are called by") }
        return .revocation(targets, reason: EventReason.text(of: content) ?? "session-revoked")
    }
}
