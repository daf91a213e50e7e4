import Bytes
public import Identity

/// Which agents are meant: one SPIFFE ID, or all below a path of a trust domain.
public struct AgentPattern: Hashable, Sendable {
    /// The pattern as it is written: `spiffe://example.org/db` or `spiffe://example.org/agent/*`.
    public let text: String
    /// The trust domain of all that match.
    public let trustDomain: String
    /// What every match begins with, a slash at its end included; nothing where one ID alone matches.
    private let prefix: String?

    /// Reads a SPIFFE ID, or one with `/*` behind it, which stands for one segment or more; nothing for anything else.
    public init?(_ text: String) {
        let isPrefix = text.hasSuffix("/*")
        let base = isPrefix ? String(text.dropLast(2)) : text
        guard let identifier = try? SPIFFEID(base.utf8.span) else { return nil }
        self.text = text
        trustDomain = identifier.trustDomain
        prefix = isPrefix ? base + "/" : nil
    }

    /// Whether the ID is one that is meant.
    public func matches(_ identifier: SPIFFEID) -> Bool {
        let bytes = identifier.text.utf8.span
        guard let prefix else { return bytes.equals(utf8: text) }
        let count = prefix.utf8.count
        return bytes.count > count && bytes.extracting(0..<count).equals(utf8: prefix)
    }
}
