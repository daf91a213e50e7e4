import Bytes
import Cryptography
import Testing

@Suite("Certificate facts")
struct CertificateReaderTests {
    static func certificate(_ text: String) throws -> Certificate {
        try #require(Certificate.chain(text).first)
    }

    static func leaf(_ change: (inout CertificateRequest) -> Void = { _ in }) throws -> Certificate {
        let validity = Fixtures.beginning...Fixtures.end
        let authority = try CertificateAuthority.make(commonName: "Agents", validFor: validity)
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        var request = CertificateRequest(
            publicKey: key.publicKey, commonName: "agent", uris: ["spiffe://example.org/a"],
            notBefore: Fixtures.beginning, notAfter: Fixtures.end)
        change(&request)
        return try authority.issue(request)
    }

    @Test("A certificate by another program is read in full")
    func crowded() throws {
        let facts = try Self.certificate(Fixtures.crowdedCertificate).facts
        #expect(facts.fingerprint.hexadecimal == "9fb2e29adcf3dd267cdd49efb6ca997da1b24d6a0e5934d3bd3ff44652ea0298")
        #expect(facts.der.count == 429)
        #expect(facts.serialNumber == "1a2b")
        #expect(facts.subject == #"CN=agent,O=M\C3\BCller\, S\C3\B6hne,C=DE"#)
        #expect(!facts.subjectIsEmpty)
        #expect(!facts.isCertificateAuthority)
        let purposes: KeyUsage.Purposes = [.digitalSignature, .nonRepudiation, .keyAgreement, .decipherOnly]
        #expect(facts.keyUsage == KeyUsage(purposes, isCritical: false))
        #expect(facts.extendedKeyUsages == [CertificateRequest.clientAuthentication, "1.3.6.1.4.1.99999.1"])
        #expect(
            facts.alternativeNames == [
                .other, .other, .other, .dns(Array("spiffe.example".utf8)), .uri(Array("spiffe://example.org/a".utf8)),
                .email(Array("a@example.org".utf8)),
            ])
        #expect(facts.alternativeNamesAreCritical)
    }

    @Test("A date before the epoch is negative, and one beyond the year 2262 is held there")
    func times() throws {
        let facts = try Self.certificate(Fixtures.crowdedCertificate).facts
        #expect(facts.notBefore == UnixTime(seconds: -631_152_000))
        #expect(facts.notAfter == UnixTime(seconds: .max))
        let ancient = try Self.leaf { $0.notBefore = UnixTime(seconds: -8_000_000_000) }.facts
        #expect(ancient.notBefore == UnixTime(seconds: -8_000_000_000))
        let ordinary = try Self.leaf().facts
        #expect(ordinary.notBefore == Fixtures.beginning)
        #expect(ordinary.notAfter == Fixtures.end)
    }

    @Test("What has no extensions says so")
    func plain() throws {
        let facts = try Self.certificate(Fixtures.plainCertificate).facts
        #expect(facts.fingerprint.hexadecimal == "3c1f5c965c23c66d4a47b6b15aa398c1f2fc0aa406996a5921dcdc0f5840d3fd")
        #expect(facts.keyUsage == nil)
        #expect(facts.extendedKeyUsages == nil)
        #expect(facts.alternativeNames.isEmpty)
        #expect(!facts.alternativeNamesAreCritical)
        #expect(!facts.isCertificateAuthority)
    }

    @Test("A NUL in a name survives, in every kind of name (CVE-2022-21656)")
    func embeddedNUL() throws {
        let facts = try Self.leaf {
            $0.uris = ["spiffe://example.org/a\0.evil"]
            $0.dnsNames = ["a.example\0.evil"]
            $0.emails = ["a@example\0.evil"]
        }.facts
        #expect(
            facts.alternativeNames == [
                .uri(Array("spiffe://example.org/a\0.evil".utf8)), .dns(Array("a.example\0.evil".utf8)),
                .email(Array("a@example\0.evil".utf8)),
            ])
    }

    @Test("A key of an unknown kind is no obstacle to reading (CVE-2024-24783)")
    func unknownKey() throws {
        let der = try Self.leaf().der
        // id-ecPublicKey becomes an OID that nobody assigned.
        let patched = der.replacing(hex("06072a8648ce3d0201"), with: hex("06072a8648ce3d027f"))
        #expect(patched != der)
        let certificate = try Certificate.read(patched)
        #expect(certificate.facts.subject == "CN=agent")
        #expect(!certificate.isMatched(by: try PrivateKey.generate(.ellipticCurve(.p256))))
    }

    @Test(
        "A validity that is no time is refused",
        arguments: ["26092114132Xz", "260921141320-", "269921141320Z", "             "])
    func invalidTime(text: String) throws {
        let der = try Self.leaf().der
        let patched = der.replacing(Array("260921141320Z".utf8), with: Array(text.utf8))
        #expect(patched != der)
        #expect(throws: CertificateError.invalidTime) { try Certificate.read(patched) }
        #expect(throws: Never.self) { try Certificate.read(der) }
    }

    @Test(
        "An extension that does not hold its type is refused, not taken as absent",
        arguments: [
            // keyUsage: no BIT STRING; then an empty one with a byte behind it.
            ("040403020780", "0404040207800"), ("040403020780", "040403010080"),
            // basicConstraints: a SEQUENCE that claims more than there is.
            ("04023000", "04023001"),
            // extKeyUsage: no OID inside.
            ("06082b06010505070301", "04082b06010505070301"),
            // subjectAltName: a tag of no name; then a length beyond the end.
            ("8616737069666665", "9c16737069666665"), ("3018861673706966", "3018867f73706966"),
        ])
    func invalidExtension(old: String, new: String) throws {
        let der = try Self.leaf().der
        let patched = der.replacing(hex(old), with: hex(String(new.prefix(old.count))))
        #expect(patched != der)
        #expect(throws: CertificateError.invalidExtension) { try Certificate.read(patched) }
        #expect(throws: Never.self) { try Certificate.read(der) }
    }

    @Test(
        "An extension that appears twice is refused, known or not",
        arguments: [("0603551d25", "0603551d0f"), ("0603551d0e", "0603551d23"), ("0603551d11", "0603551d13")])
    func duplicateExtension(old: String, new: String) throws {
        let der = try Self.leaf().der
        let patched = der.replacing(hex(old), with: hex(new))
        #expect(patched != der)
        #expect(throws: CertificateError.duplicateExtension) { try Certificate.read(patched) }
    }

    @Test("A certificate of one's own making is read as it was asked for")
    func requested() throws {
        let facts = try Self.leaf {
            $0.commonName = nil
            $0.dnsNames = ["a.example"]
            $0.ipAddresses = ["127.0.0.1", "::1"]
            $0.keyUsage = KeyUsage([.digitalSignature, .crlSign], isCritical: false)
            $0.extendedKeyUsages = nil
        }.facts
        #expect(facts.subjectIsEmpty)
        #expect(facts.alternativeNamesAreCritical)
        #expect(facts.keyUsage == KeyUsage([.digitalSignature, .crlSign], isCritical: false))
        #expect(facts.extendedKeyUsages == nil)
        #expect(
            facts.alternativeNames == [
                .uri(Array("spiffe://example.org/a".utf8)), .dns(Array("a.example".utf8)),
                .ipAddress([127, 0, 0, 1]), .ipAddress([UInt8](repeating: 0, count: 15) + [1]),
            ])
    }

    @Test("Issuer and distribution points are read, but points that are for some reasons or of other issuers")
    func distributionPoints() throws {
        let facts = try #require(try Certificate.chain(PublishedList.certificateWithPoints).first).facts
        #expect(facts.issuer == "CN=B\\C3\\BCcher,C=DE")
        #expect(
            facts.distributionPoints.map { String(decoding: $0, as: UTF8.self) } == [
                "http://ca.example/1.crl", "ldap://ca.example/1", "http://ca.example/2.crl",
            ])
        #expect(try Self.leaf().facts.distributionPoints.isEmpty)
    }

    @Test("The thumbprint of the key is that of the key as JWK")
    func keyThumbprint() throws {
        let key = try PrivateKey.generate(.ellipticCurve(.p384))
        #expect(try Self.leaf { $0.publicKey = key.publicKey }.facts.keyThumbprint == key.publicKey.thumbprint)
    }
}
