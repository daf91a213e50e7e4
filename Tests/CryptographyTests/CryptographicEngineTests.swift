import Bytes
import Cryptography
import Testing

@Suite("Cryptographic engine")
struct CryptographicEngineTests {
    let engine: CryptographicEngine

    init() throws {
        engine = try CryptographicEngine()
    }

    static let message = Array("the message".utf8)

    static func kind(for algorithm: SignatureAlgorithm) -> PrivateKey.Kind {
        switch algorithm {
        case .es256: .ellipticCurve(.p256)
        case .es384: .ellipticCurve(.p384)
        case .es512: .ellipticCurve(.p521)
        case .ed25519, .edDSA: .ed25519
        default: .rsa(bits: 2048)
        }
    }

    @Test(
        "SHA-256 is that of FIPS 180-4",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func sha256(text: String, digest: String) {
        #expect(engine.sha256(text).hexadecimal == digest)
        #expect(engine.sha256(text).hexadecimal == digest, "the second time too")
    }

    @Test("A signature verifies under its key, message and algorithm only", arguments: SignatureAlgorithm.allCases)
    func signature(algorithm: SignatureAlgorithm) throws {
        let key = try TestKey.first(Self.kind(for: algorithm))
        let other = try TestKey.second(Self.kind(for: algorithm))
        let signature = try key.sign(Self.message, with: algorithm)
        let otherMessage = Self.message + [0]
        for _ in 0..<2 {
            #expect(engine.verifies(signature, of: Self.message, by: key.publicKey, with: algorithm))
            #expect(!engine.verifies(signature, of: otherMessage, by: key.publicKey, with: algorithm))
            #expect(!engine.verifies(signature, of: Self.message, by: other.publicKey, with: algorithm))
        }
        for stranger in SignatureAlgorithm.allCases where stranger != algorithm {
            let isSame = [algorithm, stranger].allSatisfy { $0 == .ed25519 || $0 == .edDSA }
            let verifies = engine.verifies(signature, of: Self.message, by: key.publicKey, with: stranger)
            #expect(verifies == isSame, "as \(stranger)")
        }
    }

    @Test("A signature of any other length is refused", arguments: SignatureAlgorithm.allCases)
    func length(algorithm: SignatureAlgorithm) throws {
        let key = try TestKey.first(Self.kind(for: algorithm))
        let signature = try key.sign(Self.message, with: algorithm)
        let oversize = [UInt8](repeating: 1, count: 21_830)
        for wrong in [[], Array(signature.dropLast()), signature + [0], [0] + signature, oversize] {
            #expect(!engine.verifies(wrong, of: Self.message, by: key.publicKey, with: algorithm))
        }
        #expect(engine.verifies(signature, of: Self.message, by: key.publicKey, with: algorithm))
    }

    @Test("Every bit of a signature counts", arguments: [SignatureAlgorithm.es256, .ed25519, .ps256])
    func bits(algorithm: SignatureAlgorithm) throws {
        let key = try TestKey.first(Self.kind(for: algorithm))
        let signature = try key.sign(Self.message, with: algorithm)
        for index in signature.indices {
            var broken = signature
            broken[index] ^= 0x10
            #expect(!engine.verifies(broken, of: Self.message, by: key.publicKey, with: algorithm))
        }
        #expect(engine.verifies(signature, of: Self.message, by: key.publicKey, with: algorithm))
    }

    @Test(
        "A signature of zeros is refused (CVE-2022-21449)",
        arguments: [SignatureAlgorithm.es256, .es384, .es512, .ed25519])
    func zeros(algorithm: SignatureAlgorithm) throws {
        let key = try TestKey.first(Self.kind(for: algorithm))
        let count = try key.sign(Self.message, with: algorithm).count
        let zeros = [UInt8](repeating: 0, count: count)
        #expect(!engine.verifies(zeros, of: Self.message, by: key.publicKey, with: algorithm))
    }

    @Test("More keys than contexts are kept: each signature still meets its own key")
    func manyKeys() throws {
        let keys = try (0..<150).map { _ in try PrivateKey.generate(.ellipticCurve(.p256)) }
        let signatures = try keys.map { try $0.sign(Self.message, with: .es256) }
        for _ in 0..<2 {
            for (index, signature) in signatures.enumerated() {
                let (own, next) = (keys[index].publicKey, keys[(index + 1) % keys.count].publicKey)
                #expect(engine.verifies(signature, of: Self.message, by: own, with: .es256))
                #expect(!engine.verifies(signature, of: Self.message, by: next, with: .es256))
            }
        }
    }

    @Test("A key that is gone leaves nothing behind for the key at its address")
    func shortLivedKeys() throws {
        let first = try PrivateKey.generate(.ed25519)
        let signature = try first.sign(Self.message, with: .ed25519)
        let x = base64URL(PublicKeyTests.rfc8037X)
        for _ in 0..<200 {
            let stranger = try PublicKey.ed25519(x)
            #expect(!engine.verifies(signature, of: Self.message, by: stranger, with: .ed25519))
        }
        #expect(engine.verifies(signature, of: Self.message, by: first.publicKey, with: .ed25519))
    }

    @Test("An AgentWrit delegation record verifies under the broker's key")
    func delegationRecord() throws {
        let x = base64URL("A6EHv_POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg")
        let key = try PublicKey.ed25519(x)
        let record =
            "spiffe://agentwrit.local/agent/orch/task/0011223344556677|read:data:*,write:data:*|2026-02-15T12:00:00.123456789Z"
        let signature = hex(
            "a934d1559f22a3c7b1a96eb1136fc56bc13974c4563e9dffd92629b64f7bba21"
                + "4c5b75ae1cca89c812452b9ce6b26481a593d36b755ad4040e056b8c11482a05")
        let widened = record.replacing("read:data", with: "kill:data")
        #expect(engine.verifies(signature, of: Array(record.utf8), by: key, with: .edDSA))
        #expect(!engine.verifies(signature, of: Array(widened.utf8), by: key, with: .edDSA))
    }

    @Test("The signature of RFC 7515's ES256 example verifies")
    func rfc7515() throws {
        let key = try PublicKey.p256(base64URL(PublicKeyTests.rfc7515X), base64URL(PublicKeyTests.rfc7515Y))
        let input = """
            eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ
            """
        let signature = base64URL(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q")
        #expect(engine.verifies(signature, of: Array(input.utf8), by: key, with: .es256))
        #expect(!engine.verifies(signature, of: Array(input.dropLast().utf8), by: key, with: .es256))
    }
}
