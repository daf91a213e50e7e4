import Bytes
import Cryptography
import Testing

@Suite("Certificate authority")
struct CertificateAuthorityTests {
    @Test("An authority is one, has no path in its name, and may only sign certificates and lists")
    func authority() throws {
        let authority = try CertificateAuthority.make(
            commonName: "Agents", uri: "spiffe://example.org", validFor: Fixtures.beginning...Fixtures.end)
        let facts = authority.certificate.facts
        #expect(facts.isCertificateAuthority)
        #expect(facts.keyUsage == KeyUsage([.keyCertSign, .crlSign]))
        #expect(facts.extendedKeyUsages == nil)
        #expect(facts.alternativeNames == [.uri(Array("spiffe://example.org".utf8))])
        #expect(facts.subject == "CN=Agents")
        #expect(facts.notAfter == Fixtures.end)
        #expect(authority.certificate.isMatched(by: authority.key))
    }

    @Test("Authorities of every kind of key issue", arguments: PrivateKeyTests.kinds)
    func kinds(kind: PrivateKey.Kind) throws {
        let root = try CertificateAuthority.make(commonName: "Root", validFor: Fixtures.beginning...Fixtures.end)
        let key = try TestKey.first(kind)
        let intermediate = try root.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "Intermediate", notBefore: Fixtures.beginning,
                notAfter: Fixtures.end, isCertificateAuthority: true, keyUsage: KeyUsage(.keyCertSign),
                extendedKeyUsages: nil))
        let leaf = try CertificateAuthority(certificate: intermediate, key: key).issue(
            CertificateRequest(
                publicKey: root.key.publicKey, commonName: "leaf", notBefore: Fixtures.beginning, notAfter: Fixtures.end
            ))
        #expect(intermediate.facts.isCertificateAuthority)
        #expect(intermediate.isMatched(by: key))
        #expect(leaf.facts.subject == "CN=leaf")
        #expect(!leaf.facts.isCertificateAuthority)
    }

    @Test("No two serial numbers are the same, and none is negative")
    func serialNumbers() throws {
        let authority = try CertificateAuthority.make(commonName: "Agents", validFor: Fixtures.beginning...Fixtures.end)
        let request = CertificateRequest(
            publicKey: authority.key.publicKey, notBefore: Fixtures.beginning, notAfter: Fixtures.end)
        let numbers = try (0..<32).map { _ in try authority.issue(request).facts.serialNumber }
        #expect(Set(numbers).count == 32)
        #expect(numbers.allSatisfy { $0.count == 32 && !$0.hasPrefix("-") })
    }

    @Test("A request that cannot be written is refused")
    func unacceptable() throws {
        let authority = try CertificateAuthority.make(commonName: "Agents", validFor: Fixtures.beginning...Fixtures.end)
        let request = CertificateRequest(
            publicKey: authority.key.publicKey, notBefore: Fixtures.beginning, notAfter: Fixtures.end)
        func refuses(_ change: (inout CertificateRequest) -> Void) {
            var changed = request
            change(&changed)
            #expect(throws: CertificateError.unacceptableRequest) { try authority.issue(changed) }
        }
        refuses { $0.ipAddresses = ["localhost"] }
        refuses { $0.dnsNames = ["bücher.example"] }
        refuses { $0.extendedKeyUsages = ["server"] }
        refuses { $0.commonName = String(repeating: "x", count: 65) }
        #expect(throws: Never.self) { try authority.issue(request) }
    }
}
