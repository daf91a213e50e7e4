import Bytes
import Identity
import JSON

/// The name of somebody in a chain: visible characters, and a SPIFFE ID where it sets out to be one.
enum AgentName {
    /// The longest name that is read, in bytes.
    private static let maximumByteCount = 2048

    /// Reads a name, or nothing where it is none.
    ///
    /// The name of a trust domain itself is none: no workload bears it.
    static func read(_ value: JSONValue?) -> String? {
        guard let text = value?.text, !text.isEmpty, text.count <= maximumByteCount, isVisible(text) else { return nil }
        let scheme = "spiffe:".utf8.count
        if text.count >= scheme, text.extracting(0..<scheme).equalsIgnoringCase("spiffe:") {
            guard let name = try? SPIFFEID(text), !name.path.isEmpty else { return nil }
        }
        return String(validating: text)
    }

    /// The name as a SPIFFE ID, where it is one.
    static func spiffeID(_ name: String) -> SPIFFEID? {
        try? SPIFFEID(name.utf8.span)
    }

    /// Whether all of `text` is `!` to `~`.
    static func isVisible(_ text: Span<UInt8>) -> Bool {
        for index in text.indices {
            guard text[index] > 0x20, text[index] < 0x7F else { return false }
        }
        return true
    }
}
