import Cryptography
import Testing

@Suite("Signing")
struct PrivateKeySigningTests {
    @Test("A signature has the length of its JOSE form")
    func length() throws {
        let expectations: [(PrivateKey.Kind, SignatureAlgorithm, Int)] = [
            (.ellipticCurve(.p256), .es256, 64), (.ellipticCurve(.p384), .es384, 96),
            (.ellipticCurve(.p521), .es512, 132), (.ed25519, .edDSA, 64), (.rsa(bits: 2048), .ps512, 256),
            (.rsa(bits: 2048), .rs256, 256),
        ]
        for (kind, algorithm, count) in expectations {
            let key = try TestKey.first(kind)
            // Often enough that short halves come up, which must be padded.
            for number in 0..<(count < 256 ? 40 : 2) {
                #expect(try key.sign("message \(number)", with: algorithm).count == count)
            }
        }
    }

    @Test("A key does not sign with an algorithm of another kind or curve")
    func unsuitable() throws {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        #expect(throws: KeyError.unsuitable) { try key.sign("", with: .es384) }
        #expect(throws: KeyError.unsuitable) { try key.sign("", with: .rs256) }
        #expect(throws: Never.self) { try key.sign("", with: .es256) }
    }

    @Test("The signature of RFC 8032's first key over nothing is that of RFC 8032 §7.1")
    func rfc8032() throws {
        let pem = """
            -----BEGIN PRIVATE KEY-----
            MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
            -----END PRIVATE KEY-----
            """
        let signature = try PrivateKey.read(pem).sign("", with: .ed25519)
        let expected =
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        #expect(signature == hex(expected))
    }
}
