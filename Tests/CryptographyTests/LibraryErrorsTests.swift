import Testing

@testable import Cryptography

@Suite("OpenSSL's error queue")
struct LibraryErrorsTests {
    /// `EC_R_POINT_IS_NOT_ON_CURVE` of `ERR_LIB_EC`, as `<openssl/err.h>` has them.
    private static let offCurve: (reason: Int32, library: Int32) = (107, 16)

    @Test("A refused key leaves nothing in the queue")
    func refusedKey() throws {
        let coordinate = [UInt8](repeating: 1, count: 32)
        let components = KeyComponents.ellipticCurve(.p256, x: coordinate, y: coordinate)
        #expect(throws: KeyError.notOnCurve) { try PublicKey(components) }
        #expect(!LibraryErrors.drain(lookingFor: Self.offCurve.reason, of: Self.offCurve.library))
    }
}
