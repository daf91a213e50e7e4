import Bytes
import Testing

@testable import Cryptography

@Suite("ECDSA signature")
struct ECDSASignatureTests {
    private func der(_ signature: [UInt8], on curve: EllipticCurve) -> [UInt8]? {
        guard let encoded = ECDSASignature(jose: signature.span, on: curve) else { return nil }
        return [UInt8](copying: encoded.der)
    }

    private func half(_ last: UInt8, on curve: EllipticCurve, first: UInt8 = 0) -> [UInt8] {
        [first] + [UInt8](repeating: 0, count: curve.coordinateByteCount - 2) + [last]
    }

    @Test("Small numbers lose their leading zeros", arguments: EllipticCurve.allCases)
    func small(curve: EllipticCurve) {
        #expect(der(half(1, on: curve) + half(0x7f, on: curve), on: curve) == [0x30, 6, 2, 1, 1, 2, 1, 0x7f])
    }

    @Test("A number with its first bit set gains a zero, so that it stays positive")
    func sign() {
        #expect(der(half(0x80, on: .p256) + half(1, on: .p256), on: .p256) == [0x30, 7, 2, 2, 0, 0x80, 2, 1, 1])
    }

    @Test("The largest numbers fit", arguments: [(EllipticCurve.p256, 72), (.p384, 104), (.p521, 139)])
    func largest(curve: EllipticCurve, count: Int) {
        var greatest = curve.order
        greatest[greatest.count - 1] -= 1
        let encoded = der(greatest + greatest, on: curve)
        #expect(encoded?.count == count)
        #expect(encoded?.prefix(3) == (curve == .p521 ? [0x30, 0x81, 136] : [0x30, UInt8(count - 2), 2]))
    }

    @Test("Zero and the order itself are refused, one less and one more are not", arguments: EllipticCurve.allCases)
    func range(curve: EllipticCurve) {
        let (one, zero) = (half(1, on: curve), half(0, on: curve))
        var greatest = curve.order
        greatest[greatest.count - 1] -= 1
        let excessive = [UInt8](repeating: 255, count: curve.coordinateByteCount)
        #expect(der(one + greatest, on: curve) != nil)
        #expect(der(greatest + one, on: curve) != nil)
        for wrong in [zero, curve.order, excessive] {
            #expect(der(one + wrong, on: curve) == nil)
            #expect(der(wrong + one, on: curve) == nil)
        }
    }

    @Test("Any other length is refused", arguments: EllipticCurve.allCases)
    func length(curve: EllipticCurve) {
        let signature = half(1, on: curve) + half(1, on: curve)
        #expect(der(signature, on: curve) != nil)
        for wrong in [[], signature + [1], Array(signature.dropFirst()), signature + signature] {
            #expect(der(wrong, on: curve) == nil)
        }
    }
}
