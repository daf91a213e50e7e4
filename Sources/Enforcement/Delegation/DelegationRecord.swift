public import Bytes
import JSON

/// One record of an AgentWrit chain: who passed a token on, what it allowed, and the broker's signature over that.
public struct DelegationRecord: Equatable, Sendable {
    /// Who delegated.
    public let agent: String
    /// What that agent was allowed, in order, as written.
    public let scopes: [String]
    /// When, as written: the signature is over these characters (RFC 3339, in UTC).
    public let delegatedAt: String
    /// The same moment.
    public let time: UnixTime
    /// The broker's signature over the three, 64 bytes (RFC 8032 §5.1.6).
    public let signature: [UInt8]

    /// What the broker signs: the three as written, with `|` between them and `,` between scopes.
    public var signedText: String { "\(agent)|\(scopes.joined(separator: ","))|\(delegatedAt)" }

    /// Reads a record, or nothing where it is not written as the broker writes it.
    ///
    /// Neither the agent nor a scope may hold what stands between the parts of the signed text: two records could
    /// have one signature.
    init?(_ value: JSONValue) {
        guard value.kind == .object, let agent = AgentName.read(value.member("agent")), !agent.utf8.contains(Self.bar),
            let scopes = Self.scopes(value.member("scope")),
            let text = value.member("delegated_at")?.text, let time = Timestamp.read(text),
            let delegatedAt = String(validating: text),
            let digits = value.member("signature")?.text, digits.count == 128,
            let signature = Hexadecimal.decode(digits)
        else { return nil }
        self.agent = agent
        self.scopes = scopes
        self.delegatedAt = delegatedAt
        self.time = time
        self.signature = signature
    }

    private static let bar = UInt8(ascii: "|")

    private static func scopes(_ value: JSONValue?) -> [String]? {
        guard let value, value.kind == .array else { return nil }
        var scopes: [String] = []
        var elements = value.elements
        while let element = elements.next() {
            guard let scope = scope(element) else { return nil }
            scopes.append(scope)
        }
        return scopes
    }

    /// A scope-token (RFC 6749, appendix A.4) without `|` and `,`.
    private static func scope(_ value: JSONValue) -> String? {
        guard let text = value.text, !text.isEmpty, text.count <= 1024, AgentName.isVisible(text),
            let scope = String(validating: text),
            !scope.utf8.contains(where: {
                [bar, UInt8(ascii: ","), UInt8(ascii: "\""), UInt8(ascii: "\\")].contains($0)
            })
        else { return nil }
        return scope
    }
}
