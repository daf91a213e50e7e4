import Bytes

/// A signature algorithm by its JOSE name (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2).
public enum SignatureAlgorithm: String, CaseIterable, Sendable {
    /// ECDSA on P-256 with SHA-256.
    case es256 = "ES256"
    /// ECDSA on P-384 with SHA-384.
    case es384 = "ES384"
    /// ECDSA on P-521 with SHA-512.
    case es512 = "ES512"
    /// EdDSA on the curve Ed25519, by its fully specified name.
    case ed25519 = "Ed25519"
    /// EdDSA by its older name; on the curve Ed25519 only.
    case edDSA = "EdDSA"
    /// RSASSA-PSS with SHA-256, MGF1 with SHA-256 and a salt of 32 bytes.
    case ps256 = "PS256"
    /// RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt of 48 bytes.
    case ps384 = "PS384"
    /// RSASSA-PSS with SHA-512, MGF1 with SHA-512 and a salt of 64 bytes.
    case ps512 = "PS512"
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    case rs256 = "RS256"
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    case rs384 = "RS384"
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    case rs512 = "RS512"

    /// Finds the algorithm by the exact, case-sensitive bytes of a JOSE `alg`, or nothing.
    public init?(joseName: Span<UInt8>) {
        guard let match = Self.allCases.first(where: { joseName.equals(utf8: $0.rawValue) }) else { return nil }
        self = match
    }
}

/// The hash that a signature algorithm applies to the message before it signs.
enum MessageHash {
    case sha256, sha384, sha512

    /// The name by which OpenSSL fetches it.
    var name: StaticString {
        switch self {
        case .sha256: "SHA2-256"
        case .sha384: "SHA2-384"
        case .sha512: "SHA2-512"
        }
    }
}

extension SignatureAlgorithm {
    /// The way of signing, with what it needs beside the key.
    enum Scheme {
        case ecdsa(EllipticCurve, MessageHash)
        case eddsa
        case pss(MessageHash)
        case pkcs1(MessageHash)
    }

    var scheme: Scheme {
        switch self {
        case .es256: .ecdsa(.p256, .sha256)
        case .es384: .ecdsa(.p384, .sha384)
        case .es512: .ecdsa(.p521, .sha512)
        case .ed25519, .edDSA: .eddsa
        case .ps256: .pss(.sha256)
        case .ps384: .pss(.sha384)
        case .ps512: .pss(.sha512)
        case .rs256: .pkcs1(.sha256)
        case .rs384: .pkcs1(.sha384)
        case .rs512: .pkcs1(.sha512)
        }
    }
}
