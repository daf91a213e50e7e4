import Bytes

/// An ECDSA signature in the two forms: r‖s as JOSE has it (RFC 7518 §3.4), and DER as OpenSSL wants it (RFC 3279 §2.2.3).
struct ECDSASignature {
    /// The DER, in room for P-521: two integers of 2 + 66 bytes and a header of 3; P-384 with sign bytes needs 104.
    private var bytes: [139 of UInt8] = .init(repeating: 0)
    private var count = 0

    /// Re-encodes `signature`, which must be exactly twice as long as a coordinate with both halves from 1 to the order - 1.
    init?(jose signature: Span<UInt8>, on curve: EllipticCurve) {
        let half = curve.coordinateByteCount
        guard signature.count == 2 * half else { return nil }
        let r = signature.extracting(0..<half)
        let s = signature.extracting(half..<2 * half)
        guard Self.isScalar(r, of: curve), Self.isScalar(s, of: curve) else { return nil }
        let (rFirst, sFirst) = (Self.firstSignificant(r), Self.firstSignificant(s))
        let content = Self.encodedCount(r, from: rFirst) + Self.encodedCount(s, from: sFirst)
        append(0x30)
        if content > 127 { append(0x81) }
        append(UInt8(content))
        append(r, from: rFirst)
        append(s, from: sFirst)
    }

    /// The DER encoding.
    var der: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { bytes.span.extracting(0..<count) }
    }

    /// Whether 1 ≤ number ≤ n - 1.
    private static func isScalar(_ number: Span<UInt8>, of curve: EllipticCurve) -> Bool {
        let order = curve.order
        var isZero = true
        for index in number.indices where number[index] != 0 { isZero = false }
        guard !isZero else { return false }
        for index in number.indices where number[index] != order[index] { return number[index] < order[index] }
        return false
    }

    private static func firstSignificant(_ number: Span<UInt8>) -> Int {
        var first = 0
        while first < number.count - 1, number[first] == 0 { first += 1 }
        return first
    }

    private static func encodedCount(_ number: Span<UInt8>, from first: Int) -> Int {
        2 + number.count - first + (number[first] > 127 ? 1 : 0)
    }

    private mutating func append(_ number: Span<UInt8>, from first: Int) {
        append(2)
        append(UInt8(Self.encodedCount(number, from: first) - 2))
        if number[first] > 127 { append(0) }
        for index in first..<number.count { append(number[index]) }
    }

    private mutating func append(_ byte: UInt8) {
        bytes[count] = byte
        count += 1
    }
}
