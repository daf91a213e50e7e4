import Bytes
import Testing

@testable import Possession

@Suite("SipHash")
struct SipHashTests {
    private func hash(_ key: (UInt64, UInt64), _ bytes: [UInt8]) throws -> SipHash.Value {
        let digest = Digest256(bytes.span)
        return SipHash(key: key)(try #require(digest))
    }

    @Test("32 bytes hash as OpenSSL's SIPHASH hashes them")
    func reference() throws {
        // openssl mac -macopt hexkey:000102030405060708090a0b0c0d0e0f -macopt size:16 of the bytes 0 to 31
        let value = try hash((0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908), Array(0..<32))
        #expect(value == SipHash.Value(first: 0x3EFC_EA5E_CA56_397C, second: 0x68EB_4665_559D_3E36))
    }

    @Test("Another key or another bit makes another value")
    func keyed() throws {
        let bytes = [UInt8](repeating: 0, count: 32)
        let value = try hash((1, 2), bytes)
        #expect(try hash((1, 2), bytes) == value)
        #expect(try hash((1, 3), bytes) != value)
        #expect(try hash((2, 2), bytes) != value)
        for index in bytes.indices {
            var changed = bytes
            changed[index] = 1
            #expect(try hash((1, 2), changed) != value)
        }
    }
}
