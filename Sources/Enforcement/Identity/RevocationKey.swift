public import Bytes
import Cryptography

/// What something is found by among all that is revoked: 128 bits of a SHA-256 over its level and its parts.
///
/// It holds no secret and depends on nothing else, so a store may keep it. Nobody can make two names with one key on purpose.
public struct RevocationKey: Hashable, Sendable {
    /// The first 64 bits.
    public let high: UInt64
    /// The others.
    public let low: UInt64

    /// Restores a key that was kept.
    @inlinable public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// One token, by its issuer and its `jti`.
    public static func token(issuer: String, tokenID: String) -> RevocationKey { RevocationKey(1, [issuer, tokenID]) }

    /// An agent, by its SPIFFE ID or subject.
    public static func agent(_ name: String) -> RevocationKey { RevocationKey(2, [name]) }

    /// A task of any orchestration.
    public static func task(_ task: String) -> RevocationKey { RevocationKey(3, [task]) }

    /// A task of one orchestration.
    public static func task(_ task: String, of orchestration: String) -> RevocationKey {
        RevocationKey(4, [orchestration, task])
    }

    /// A chain, by an agent that it grew out of.
    public static func chain(_ name: String) -> RevocationKey { RevocationKey(5, [name]) }

    /// A certificate, by the SHA-256 of its DER.
    public static func certificate(_ fingerprint: Digest256) -> RevocationKey {
        RevocationKey(6, [fingerprint.hexadecimal])
    }

    /// A certificate, by its issuer's name as RFC 2253 or RFC 4514 write it, and its serial number in hexadecimal.
    ///
    /// Spellings of one name come out the same: letters of either case, spaces around `,`, `=` and `+` or none, letters
    /// outside of ASCII as they are or as `\\C3\\BC`; and serial numbers with leading zeros or colons or without.
    public static func certificate(serial: String, issuer: String) -> RevocationKey {
        RevocationKey(7, [IssuerName.normalized(issuer), SerialNumber.normalized(serial)])
    }

    /// A key, by its thumbprint (RFC 7638).
    public static func key(_ thumbprint: Digest256) -> RevocationKey { RevocationKey(8, [thumbprint.hexadecimal]) }

    /// Every call.
    public static let everything = RevocationKey(9, [])

    /// Each part is preceded by its length, so that no two lists of parts look alike.
    private init(_ kind: UInt8, _ parts: [String]) {
        var bytes = [kind]
        for part in parts {
            let count = UInt32(truncatingIfNeeded: part.utf8.count)
            for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
            bytes += part.utf8
        }
        let digest = SHA256.digest(of: bytes.span)
        self.init(high: digest.words.0, low: digest.words.1)
    }
}

/// One of the names under which a credential may be revoked.
public struct RevocationName: Equatable, Sendable {
    /// What kind of revocation would hit it.
    public let level: RevocationLevel
    /// What it is found by.
    public let key: RevocationKey

    /// Makes a name.
    public init(_ level: RevocationLevel, _ key: RevocationKey) {
        self.level = level
        self.key = key
    }
}
