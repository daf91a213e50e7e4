/// A curve of FIPS 186 by its JOSE name (RFC 7518 §6.2.1.1).
public enum EllipticCurve: String, CaseIterable, Sendable {
    /// secp256r1, also called prime256v1.
    case p256 = "P-256"
    /// secp384r1.
    case p384 = "P-384"
    /// secp521r1.
    case p521 = "P-521"

    /// The length of a coordinate, and of each half of a signature in JOSE form, in bytes.
    public var coordinateByteCount: Int {
        switch self {
        case .p256: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// The number of points that the base point generates, big-endian, ``coordinateByteCount`` bytes (SEC 2 §2).
    var order: [UInt8] {
        switch self {
        case .p256: Self.orderOfP256
        case .p384: Self.orderOfP384
        case .p521: Self.orderOfP521
        }
    }

    private static let orderOfP256: [UInt8] =
        [255, 255, 255, 255, 0, 0, 0, 0] + [UInt8](repeating: 255, count: 8) + [
            0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
        ]

    private static let orderOfP384: [UInt8] =
        [UInt8](repeating: 255, count: 24) + [
            0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2,
            0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
        ]

    private static let orderOfP521: [UInt8] =
        [1] + [UInt8](repeating: 255, count: 32) + [
            0xfa, 0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0,
            0x3b, 0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09,
        ]

    /// The name by which OpenSSL knows the group.
    var groupName: StaticString {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        }
    }
}
