import Bytes

/// Why text is not a SPIFFE ID.
public enum SPIFFEIDError: Error, Equatable, Sendable {
    /// The path has an empty segment, a dot segment, a slash at its end, or a character that no segment may hold.
    case path
    /// It does not begin with `spiffe://`, in lower case.
    case scheme
    /// It is longer than 2048 bytes.
    case tooLong
    /// The trust domain is empty, longer than 255 bytes, or holds a character that none may hold: a port and user
    /// information among them.
    case trustDomain
}

/// The name of a workload: `spiffe://example.org/agent/orch-1/task-1/0011223344556677` (SPIFFE-ID §2).
///
/// There is one spelling of a name, so equality of bytes is equality of names: upper case in the trust domain and
/// percent-encoding anywhere are refused, never folded.
public struct SPIFFEID: Hashable, Sendable {
    /// The whole name.
    public let text: String
    /// The trust domain, which says whose bundle may vouch for the name; lower case.
    public let trustDomain: String

    /// The longest name that is read, in bytes (SPIFFE-ID §2.3).
    public static let maximumByteCount = 2048
    private static let scheme: StaticString = "spiffe://"
    private static let maximumTrustDomainByteCount = 255

    /// Reads a name; one without path is that of the trust domain itself.
    public init(_ text: Span<UInt8>) throws(SPIFFEIDError) {
        guard text.count <= Self.maximumByteCount else { throw .tooLong }
        let start = Self.scheme.utf8CodeUnitCount
        guard text.count >= start, text.extracting(0..<start).equals(Self.scheme) else { throw .scheme }
        let end = text.firstIndex(of: UInt8(ascii: "/"), from: start) ?? text.count
        try Self.checkTrustDomain(text.extracting(start..<end))
        if end < text.count { try Self.checkPath(text.extracting(end..<text.count)) }
        self.text = String(decoding: [UInt8](copying: text), as: UTF8.self)
        trustDomain = String(decoding: [UInt8](copying: text.extracting(start..<end)), as: UTF8.self)
    }

    /// The path with its leading slash; empty where the name is that of the trust domain itself.
    public var path: String {
        String(text.utf8.dropFirst(Self.scheme.utf8CodeUnitCount + trustDomain.utf8.count)) ?? ""
    }

    private static func checkTrustDomain(_ name: Span<UInt8>) throws(SPIFFEIDError) {
        guard (1...maximumTrustDomainByteCount).contains(name.count) else { throw .trustDomain }
        for index in name.indices where !isTrustDomainCharacter(name[index]) { throw .trustDomain }
    }

    private static func checkPath(_ path: Span<UInt8>) throws(SPIFFEIDError) {
        var start = 1
        while true {
            let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.count
            try checkSegment(path.extracting(start..<end))
            guard end < path.count else { return }
            start = end + 1
        }
    }

    private static func checkSegment(_ segment: Span<UInt8>) throws(SPIFFEIDError) {
        guard segment.count > 0, !segment.equals("."), !segment.equals("..") else { throw .path }
        for index in segment.indices {
            let isUpperCase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(segment[index])
            guard isUpperCase || isTrustDomainCharacter(segment[index]) else { throw .path }
        }
    }

    private static func isTrustDomainCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
