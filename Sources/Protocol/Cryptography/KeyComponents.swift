import Bytes

/// The numbers of a public key, as JWK has them (RFC 7518 §6, RFC 8037 §2).
enum KeyComponents: Equatable, Sendable {
    case ellipticCurve(EllipticCurve, x: [UInt8], y: [UInt8])
    case rsa(modulus: [UInt8], exponent: [UInt8])
    case ed25519([UInt8])

    /// The required members of the JWK in lexicographic order, without braces and white space (RFC 7638 §3).
    var requiredMembers: String {
        switch self {
        case .ellipticCurve(let curve, let x, let y):
            let (x, y) = (Base64URL.encode(x.span), Base64URL.encode(y.span))
            return #""crv":"\#(curve.rawValue)","kty":"EC","x":"\#(x)","y":"\#(y)""#
        case .rsa(let modulus, let exponent):
            let (e, n) = (Base64URL.encode(exponent.span), Base64URL.encode(modulus.span))
            return #""e":"\#(e)","kty":"RSA","n":"\#(n)""#
        case .ed25519(let x):
            return #""crv":"Ed25519","kty":"OKP","x":"\#(Base64URL.encode(x.span))""#
        }
    }

    /// The kind of the key that these numbers make.
    var kind: PublicKey.Kind {
        switch self {
        case .ellipticCurve(let curve, _, _): .ellipticCurve(curve)
        case .rsa(let modulus, _): .rsa(bits: modulus.span.significantBits)
        case .ed25519: .ed25519
        }
    }

    /// Whether the numbers are admissible by themselves: exact lengths, no leading zero, sizes within bounds.
    func validate() throws(KeyError) {
        switch self {
        case .ellipticCurve(let curve, let x, let y):
            let count = curve.coordinateByteCount
            guard x.count == count, y.count == count else { throw .malformed }
        case .rsa(let modulus, let exponent):
            try Self.validateRSA(modulus: modulus.span, exponent: exponent.span)
        case .ed25519(let x):
            try Self.validateEd25519(x.span)
        }
    }

    /// RFC 7518 §3.3 asks for 2048 bits; the upper bounds keep one verification from costing as much as a thousand.
    private static func validateRSA(modulus: Span<UInt8>, exponent: Span<UInt8>) throws(KeyError) {
        guard modulus.count > 0, exponent.count > 0, modulus[0] != 0, exponent[0] != 0 else { throw .malformed }
        let bits = modulus.significantBits
        guard bits >= 2048 else { throw .weak }
        guard bits <= 8192, exponent.count <= 8 else { throw .unsupported }
        guard modulus[modulus.count - 1] & 1 == 1, exponent[exponent.count - 1] & 1 == 1 else { throw .malformed }
        guard exponent.significantBits > 1 else { throw .weak }
    }

    /// Refuses a coordinate that is not reduced, and the points of small order, under which anything verifies.
    private static func validateEd25519(_ x: Span<UInt8>) throws(KeyError) {
        guard x.count == 32 else { throw .malformed }
        let sign = x[31] & 0x80
        var reduced = x[31] & 0x7f != 0x7f || x[0] < 0xed
        for index in 1..<31 where x[index] != 0xff { reduced = true }
        guard reduced else { throw .malformed }
        for point in pointsOfSmallOrder {
            var isSame = point[31] == x[31] ^ sign
            for index in 0..<31 where point[index] != x[index] { isSame = false }
            if isSame { throw .weak }
        }
    }

    /// The y coordinates, little-endian, of the eight points whose order divides the cofactor (RFC 7748 §7, RFC 8032 §5.1).
    private static let pointsOfSmallOrder: [[UInt8]] = [
        [UInt8](repeating: 0, count: 32),
        [1] + [UInt8](repeating: 0, count: 31),
        [0xec] + [UInt8](repeating: 0xff, count: 30) + [0x7f],
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
            0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
            0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
        ],
    ]
}

extension Span where Element == UInt8 {
    /// The number of bits of a big-endian number without leading zero bytes.
    var significantBits: Int { count == 0 ? 0 : count * 8 - self[0].leadingZeroBitCount }
}
