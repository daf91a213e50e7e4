import Cryptography
import Testing

@Suite("Signature algorithm")
struct SignatureAlgorithmTests {
    @Test("An algorithm is found by its JOSE name", arguments: SignatureAlgorithm.allCases)
    func name(algorithm: SignatureAlgorithm) {
        #expect(SignatureAlgorithm.named(algorithm.rawValue) == algorithm)
    }

    @Test(
        "A name that is not exactly one of ours finds nothing",
        arguments: [
            "", "none", "noNE", "HS256", "es256", "ES256 ", "ES256K", "ES25", "RSA1_5", "eddsa", "ED25519", "Ed448",
        ])
    func strangers(name: String) {
        #expect(SignatureAlgorithm.named(name) == nil)
    }
}
