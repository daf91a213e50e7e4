import Bytes
import Cryptography
import Testing

@Suite("Wycheproof", .enabled(if: Vectors.exists("wycheproof"), "the vector files are absent"))
struct WycheproofTests {
    struct File: Decodable {
        let numberOfTests: Int
        let testGroups: [Group]
    }

    struct Group: Decodable {
        let publicKey: Key
        let tests: [Case]
    }

    struct Key: Decodable {
        let uncompressed: String?
        let pk: String?
        let modulus: String?
        let publicExponent: String?
    }

    struct Case: Decodable {
        let tcId: Int
        let comment: String
        let msg: String
        let sig: String
        let result: String
    }

    @Test(
        "Every signature is judged as the file says",
        arguments: [
            ("ecdsa_secp256r1_sha256_p1363_test.json", SignatureAlgorithm.es256),
            ("ecdsa_secp384r1_sha384_p1363_test.json", .es384),
            ("ed25519_test.json", .ed25519),
            ("rsa_pss_2048_sha256_mgf1_32_test.json", .ps256),
        ])
    func signatures(name: String, algorithm: SignatureAlgorithm) throws {
        let file = try Vectors.read("wycheproof/\(name)", as: File.self)
        let engine = try CryptographicEngine()
        var count = 0
        for group in file.testGroups {
            let key = try Self.key(group.publicKey, for: algorithm)
            for test in group.tests {
                let (signature, message) = (hex(test.sig), hex(test.msg))
                let verifies = engine.verifies(signature, of: message, by: key, with: algorithm)
                #expect(verifies == (test.result == "valid"), "tcId \(test.tcId): \(test.comment)")
                count += 1
            }
        }
        #expect(count == file.numberOfTests)
    }

    private static func key(_ key: Key, for algorithm: SignatureAlgorithm) throws -> PublicKey {
        if let point = key.uncompressed.map(hex) {
            let curve: EllipticCurve = algorithm == .es256 ? .p256 : .p384
            let (x, y) = (Array(point[1...curve.coordinateByteCount]), Array(point[(1 + curve.coordinateByteCount)...]))
            return try PublicKey.on(curve, x, y)
        }
        if let x = key.pk.map(hex) { return try PublicKey.ed25519(x) }
        let modulus = Array(hex(key.modulus ?? "").drop { $0 == 0 })
        let exponent = Array(hex(key.publicExponent ?? "").drop { $0 == 0 })
        return try PublicKey.rsa(modulus, exponent)
    }
}
