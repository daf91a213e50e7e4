public import Bytes
import Cryptography
public import Identity

/// One thing that was taken back: what, by whom, why and until when.
///
/// Every value can be enforced: whatever could never be found, a thumbprint that is none for instance, is refused when it is made.
public struct Revocation: Equatable, Sendable {
    /// What kind of thing it is.
    public let level: RevocationLevel
    /// Its name.
    public let value: String
    /// Who issued the token or the certificate, where that is part of the name.
    public let issuer: String?
    /// Why, for people.
    public let reason: String?
    /// Who told: `admin`, or `feed:NAME`.
    public let source: String
    /// Who asked for it, where a person or a program did.
    public let by: String?
    /// Since when.
    public let createdAt: UnixTime
    /// From when on it is not needed any more, since what it takes back has expired by itself.
    public let expiresAt: UnixTime

    /// The most bytes that a value, an issuer or a reason may have.
    public static let maximumLength = 2048

    /// Makes a revocation, if what it names is written as it must be.
    ///
    /// - Parameters:
    ///   - level: what kind of thing it is.
    ///   - value: the token's `jti`; an agent's or a chain's SPIFFE ID or subject; `TASK` or `ORCHESTRATION/TASK`; 64 lower-case hexadecimal
    ///     digits of the certificate's SHA-256, or its serial number in hexadecimal; a key's thumbprint (RFC 7638); `*` for everything.
    ///   - issuer: the token's issuer; the issuer's distinguished name where `value` is a serial number; else nothing.
    ///   - reason: why, for people.
    ///   - source: who told.
    ///   - by: who asked for it.
    ///   - createdAt: since when.
    ///   - expiresAt: from when on it is not needed any more.
    public init(
        level: RevocationLevel, value: String, issuer: String? = nil, reason: String? = nil, source: String,
        by: String? = nil, createdAt: UnixTime, expiresAt: UnixTime
    ) throws(RevocationFault) {
        self.level = level
        self.value = value
        self.issuer = issuer
        self.reason = reason
        self.source = source
        self.by = by
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        guard Self.isPrintable(value) else { throw .valueText }
        if let issuer, !Self.isPrintable(issuer) { throw .issuerText }
        // No claim that these are compared with may hold a space.
        if level != .certificate {
            guard !value.utf8.contains(0x20) else { throw .valueText }
            guard issuer?.utf8.contains(0x20) != true else { throw .issuerText }
        }
        guard Self.isReadable(reason) else { throw .reason }
        guard Self.isReadable(by) else { throw .actor }
        guard Self.isPrintable(source), source.utf8.count <= 256, !source.utf8.contains(0x20) else { throw .source }
        try checkName()
        guard expiresAt > createdAt else { throw .expiry }
    }

    /// What it is found by; the first names it alone, since no other value of any level has that one.
    ///
    /// Names of tasks may hold slashes themselves, so `ORCHESTRATION/TASK` has a key for each of them: too much is revoked rather than
    /// too little.
    public var keys: [RevocationKey] {
        switch level {
        case .token: [.token(issuer: issuer ?? "", tokenID: value)]
        case .agent: [.agent(value)]
        case .chain: [.chain(value)]
        case .task: taskKeys
        case .certificate: [certificateKey].compactMap(\.self)
        case .key: [Digest256(base64URL: value.utf8.span).map { RevocationKey.key($0) }].compactMap(\.self)
        case .everything: [.everything]
        }
    }

    private var taskKeys: [RevocationKey] {
        var keys = [RevocationKey.task(value)]
        for slash in value.indices where value[slash] == "/" {
            let task = String(value[value.index(after: slash)...])
            keys.append(.task(task, of: String(value[..<slash])))
        }
        return keys
    }

    private var certificateKey: RevocationKey? {
        if let issuer { return .certificate(serial: value, issuer: issuer) }
        return Digest256(hexadecimal: value.utf8.span).map { .certificate($0) }
    }

    private func checkName() throws(RevocationFault) {
        switch level {
        case .token: guard issuer != nil else { throw .issuerMissing }
        case .certificate where issuer != nil:
            guard value.utf8.count <= 64, value.utf8.allSatisfy(Self.isHexadecimal) else { throw .serial }
        case .agent, .chain, .task, .certificate, .key, .everything:
            guard issuer == nil else { throw .issuerUnexpected }
        }
        switch level {
        case .token, .task: break
        case .agent, .chain:
            guard value.lowercased().hasPrefix("spiffe:") else { break }
            do { _ = try SPIFFEID(value.utf8.span) } catch { throw .spiffeID }
        case .certificate:
            guard certificateKey != nil else { throw .fingerprint }
            guard value != Self.emptyFingerprint else { throw .emptyFingerprint }
        case .key: guard Digest256(base64URL: value.utf8.span) != nil else { throw .thumbprint }
        case .everything: guard value == "*" else { throw .wildcard }
        }
    }

    private static let emptyFingerprint = SHA256.digest(of: Span()).hexadecimal

    private static func isPrintable(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumLength && text.utf8.allSatisfy { (0x20...0x7e).contains($0) }
    }

    private static func isReadable(_ text: String?) -> Bool {
        guard let text else { return true }
        return text.utf8.count <= maximumLength
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
