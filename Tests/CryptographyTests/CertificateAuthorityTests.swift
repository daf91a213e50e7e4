import Bytes
import Cryptography
import Testing

@Suite("Certificate authority")
struct CertificateAuthorityTests {
    @Test("What is asked for is what the certificate says")
    func issue() throws {
        let authority = try CertificateAuthority.make(
            commonName: "Agents", uri: "spiffe://example.org", validFor: beginning...end)
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let leaf = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "agent, \"one\"",
                uris: ["spiffe://example.org/agent/o/t/i"], dnsNames: ["a.example"], ipAddresses: ["127.0.0.1", "::1"],
                emails: ["a@b.example"], notBefore: beginning, notAfter: end))
        print(
            leaf.facts, leaf.pem, authority.certificate.pem, key.pem, key.publicJWK(keyID: "a\"\n", algorithm: .es256))
        #expect(leaf.isMatched(by: key))
        #expect(!leaf.isMatched(by: authority.key))
    }
}
