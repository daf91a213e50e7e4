import Bytes
import Testing

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

    @Test(
        "Bytes of any number hash as OpenSSL's SIPHASH hashes them",
        arguments: [
            (0, 0xE6A8_25BA_047F_81A3, 0x9302_55C7_1472_F66D), (1, 0x44AF_996B_D8C1_87DA, 0x45FC_229B_1159_7634),
            (7, 0x53C1_DBD8_BEEB_F1A1, 0x3982_F01F_A64A_B8C0), (8, 0x61F5_5862_BAA9_623B, 0xB497_14F3_64E2_830F),
            (9, 0xABBA_D90A_0699_4426, 0xED71_6DBB_028B_7FC4), (15, 0x11A8_B033_99E9_9354, 0xD9C3_CF97_0FEC_087E),
            (63, 0x4A83_502F_77D1_5051, 0x7CBD_3F97_9A06_3E50),
        ] as [(Int, UInt64, UInt64)])
    func lengths(_ count: Int, _ first: UInt64, _ second: UInt64) {
        // openssl mac as above, of the bytes from 0 on.
        let bytes = (0..<count).map { UInt8($0) }
        #expect(SipHash(key: [UInt8](0..<16))(bytes.span) == SipHash.Value(first: first, second: second))
    }

    @Test("A digest hashes as its bytes do")
    func digest() throws {
        let bytes = [UInt8](0..<32)
        #expect(try SipHash(key: (3, 4))(bytes.span) == hash((3, 4), bytes))
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
