/// The URIs of status lists that a feed covers: one, or all that begin alike.
///
/// A token names the list that its status is in; it can make the gateway fetch no URL that its operator did not allow.
public struct StatusListPattern: Equatable, Sendable {
    /// As configured: a URI, or the beginning of URIs with `*` at its end.
    public let text: String
    private let prefix: String?

    /// Reads a URI, or the beginning of URIs up to and including a `/` with one `*` behind it; nothing for anything else.
    ///
    /// That the text is a URL at all is for the caller to check.
    public init?(_ text: String) {
        self.text = text
        guard text.hasSuffix("*") else {
            guard !text.contains("*") else { return nil }
            prefix = nil
            return
        }
        let prefix = String(text.dropLast())
        // The scheme has two slashes: a third one ends the authority, which must be whole.
        guard prefix.hasSuffix("/"), !prefix.contains("*"), prefix.utf8.count(where: { $0 == UInt8(ascii: "/") }) >= 3
        else { return nil }
        self.prefix = prefix
    }

    /// The one URI that it covers; nothing where it covers many.
    public var uri: String? { prefix == nil ? text : nil }

    /// Whether a list of that URI is covered.
    ///
    /// Behind the beginning only segments of unreserved characters count (RFC 3986 §2.3), none of them empty, `.` or `..`: so
    /// that whatever a server makes of the path, it stays below.
    public func covers(_ uri: String) -> Bool {
        guard let prefix else { return uri.utf8.elementsEqual(text.utf8) }
        guard uri.utf8.starts(with: prefix.utf8) else { return false }
        let segments = uri.utf8.dropFirst(prefix.utf8.count)
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return segments.allSatisfy { segment in
            !segment.isEmpty && segment.allSatisfy(Self.isUnreserved)
                && !segment.allSatisfy { $0 == UInt8(ascii: ".") }
        }
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
