import Bytes
import Cryptography
import Testing

@Suite("Certificate")
struct CertificateTests {
    private let authority: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.make(
            commonName: "Agents", uri: "spiffe://example.org", validFor: Fixtures.beginning...Fixtures.end)
    }

    @Test("DER is read to its last byte and no further")
    func der() throws {
        let der = authority.certificate.der
        #expect(try Certificate.read(der).facts == authority.certificate.facts)
        for wrong in [[], der + [0], Array(der.dropLast()), Array(der.dropFirst()), Array("garbage".utf8)] {
            #expect(throws: CertificateError.malformed) { try Certificate.read(wrong) }
        }
    }

    @Test("An encoding that is not distinguished is refused: one certificate has one fingerprint")
    func distinguished() throws {
        let der = authority.certificate.der
        // The outer length in three bytes where two do.
        let padded = [der[0], 0x83, 0] + der[2...]
        #expect(der[1] == 0x82)
        #expect(throws: CertificateError.malformed) { try Certificate.read(padded) }
    }

    @Test("A chain is every certificate of the text, in order")
    func chain() throws {
        let text =
            "# first\n" + authority.certificate.pem + "# key\n" + Fixtures.pkcs8Key + "\n" + Fixtures.plainCertificate
        let chain = try Certificate.chain(text)
        #expect(chain.map(\.facts.subject) == ["CN=Agents", "CN=plain"])
        #expect(chain.first?.pem == authority.certificate.pem)
    }

    static let brokenTexts: [(Sample, CertificateError)] = {
        let sound = Fixtures.plainCertificate
        let cut = String(sound.dropLast(30))
        let misspelt = sound.replacing("-----BEGIN CERTIFICATE-----", with: "-----BEGIN CERTIFICATE----")
        return [
            (Sample("nothing", ""), .noCertificate), (Sample("garbage", "garbage"), .noCertificate),
            (Sample("a key only", Fixtures.pkcs8Key), .noCertificate), (Sample("cut off", cut), .malformed),
            (Sample("a second one cut off", sound + "\n" + cut), .malformed),
            (Sample("a second one misspelt", sound + "\n" + misspelt), .malformed),
            (Sample("a wrong length", sound.replacing("MIHO", with: "MIHP")), .malformed),
            (Sample("not base64", sound.replacing("MIHO", with: "M*HO")), .malformed),
        ]
    }()

    @Test("A text without certificates, or with a broken one, is no chain", arguments: brokenTexts)
    func brokenChain(sample: Sample, error: CertificateError) {
        #expect(throws: error) { try Certificate.chain(sample.text) }
        #expect(throws: Never.self) { try Certificate.chain(Fixtures.plainCertificate) }
    }

    @Test("A certificate is matched by its own key and no other")
    func match() throws {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let leaf = try authority.issue(
            CertificateRequest(publicKey: key.publicKey, notBefore: Fixtures.beginning, notAfter: Fixtures.end))
        #expect(leaf.isMatched(by: key))
        #expect(!leaf.isMatched(by: authority.key))
        #expect(!leaf.isMatched(by: try PrivateKey.generate(.ed25519)))
    }
}
