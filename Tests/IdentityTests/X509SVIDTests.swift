import Bytes
import Cryptography
import Identity
import Testing

@Suite("X509-SVID (rules X1 to X8)")
struct X509SVIDTests {
    private static let name = "spiffe://example.org/agent/orch-1/task-1/0011223344556677"
    private static let beginning = UnixTime(seconds: 1_790_000_000)
    private static let end = UnixTime(seconds: 1_790_086_400)

    /// What a sound leaf says, but for one change.
    private static func leaf(_ change: (inout CertificateFacts) -> Void = { _ in }) -> CertificateFacts {
        var facts = CertificateFacts(
            notBefore: beginning, notAfter: end, subject: "CN=agent", subjectIsEmpty: false,
            keyUsage: KeyUsage(.digitalSignature),
            extendedKeyUsages: [CertificateRequest.serverAuthentication, CertificateRequest.clientAuthentication],
            alternativeNames: [.uri(Array(name.utf8))])
        change(&facts)
        return facts
    }

    private static func judge(_ change: (inout CertificateFacts) -> Void) -> X509SVIDError? {
        do throws(X509SVIDError) {
            _ = try X509SVID.identifier(of: leaf(change))
            return nil
        } catch {
            return error
        }
    }

    private static func uris(_ texts: String...) -> [AlternativeName] { texts.map { .uri(Array($0.utf8)) } }

    @Test("A sound leaf names its holder")
    func sound() throws {
        let identifier = try X509SVID.identifier(of: Self.leaf())
        #expect(identifier.text == Self.name)
        #expect(identifier.trustDomain == "example.org")
    }

    @Test("X1: exactly one URI, whatever other names there are")
    func oneURI() {
        #expect(Self.judge { $0.alternativeNames = [] } == .noURI)
        #expect(
            Self.judge { $0.alternativeNames = [.dns(Array(Self.name.utf8)), .email(Array(Self.name.utf8)), .other] }
                == .noURI)
        #expect(Self.judge { $0.alternativeNames += Self.uris("spiffe://example.org/b") } == .severalURIs)
        #expect(Self.judge { $0.alternativeNames += Self.uris(Self.name) } == .severalURIs)
        #expect(Self.judge { $0.alternativeNames += Self.uris("https://example.org/") } == .severalURIs)
        #expect(
            Self.judge { $0.alternativeNames += [.dns(Array("a.example".utf8)), .ipAddress([127, 0, 0, 1]), .other] }
                == nil)
    }

    @Test("X2: a leaf is no certificate authority, and may sign neither certificates nor lists")
    func leafOnly() {
        #expect(Self.judge { $0.isCertificateAuthority = true } == .certificateAuthority)
        #expect(Self.judge { $0.keyUsage?.purposes.insert(.keyCertSign) } == .signingKeyUsage)
        #expect(Self.judge { $0.keyUsage?.purposes.insert(.crlSign) } == .signingKeyUsage)
        #expect(Self.judge { $0.keyUsage?.purposes.insert([.keyEncipherment, .keyAgreement]) } == nil)
    }

    @Test("X3: the URI is a SPIFFE ID with a path")
    func pathOfName() {
        #expect(Self.judge { $0.alternativeNames = Self.uris("spiffe://example.org") } == .noPath)
        #expect(Self.judge { $0.alternativeNames = Self.uris("spiffe://example.org/") } == .identifier(.path))
        #expect(Self.judge { $0.alternativeNames = Self.uris("https://example.org/a") } == .identifier(.scheme))
        #expect(Self.judge { $0.alternativeNames = Self.uris("spiffe://example.org/a\0.evil") } == .identifier(.path))
        #expect(Self.judge { $0.alternativeNames = Self.uris("spiffe://Example.org/a") } == .identifier(.trustDomain))
        #expect(Self.judge { $0.alternativeNames = Self.uris("spiffe://example.org/a") } == nil)
    }

    @Test("X4: the trust domain, whose bundle alone may vouch, is that of the name and not of the subject")
    func trustDomain() throws {
        let facts = Self.leaf { $0.subject = "CN=spiffe://other.example/a" }
        #expect(try X509SVID.identifier(of: facts).trustDomain == "example.org")
    }

    @Test("X5: the key usage is there, critical, and allows signatures")
    func keyUsage() {
        #expect(Self.judge { $0.keyUsage = nil } == .noKeyUsage)
        #expect(Self.judge { $0.keyUsage?.isCritical = false } == .keyUsageNotCritical)
        #expect(Self.judge { $0.keyUsage?.purposes = [.keyEncipherment] } == .noDigitalSignature)
        #expect(Self.judge { $0.keyUsage?.purposes = [] } == .noDigitalSignature)
        #expect(Self.judge { $0.keyUsage?.purposes = [.digitalSignature] } == nil)
    }

    @Test("X6: the extended key usage, where there is one, names servers and clients")
    func extendedKeyUsage() {
        let (server, client) = (CertificateRequest.serverAuthentication, CertificateRequest.clientAuthentication)
        #expect(Self.judge { $0.extendedKeyUsages = [server] } == .extendedKeyUsage)
        #expect(Self.judge { $0.extendedKeyUsages = [client] } == .extendedKeyUsage)
        #expect(Self.judge { $0.extendedKeyUsages = [] } == .extendedKeyUsage)
        #expect(Self.judge { $0.extendedKeyUsages = ["2.5.29.37.0"] } == .extendedKeyUsage)
        #expect(Self.judge { $0.extendedKeyUsages = ["1.3.6.1.5.5.7.3.4"] } == .extendedKeyUsage)
        #expect(Self.judge { $0.extendedKeyUsages = [client, "1.3.6.1.5.5.7.3.4", server] } == nil)
        #expect(Self.judge { $0.extendedKeyUsages = nil } == nil)
    }

    @Test("X7: a signing certificate never authenticates")
    func signingCertificate() throws {
        let authority = try CertificateAuthority.make(
            commonName: "Agents", uri: "spiffe://example.org", validFor: Self.beginning...Self.end)
        #expect(throws: X509SVIDError.certificateAuthority) {
            try X509SVID.identifier(of: authority.certificate.facts)
        }
        let leaf = try authority.issue(
            CertificateRequest(
                publicKey: authority.key.publicKey, uris: [Self.name], notBefore: Self.beginning, notAfter: Self.end))
        #expect(try X509SVID.identifier(of: leaf.facts).text == Self.name)
    }

    @Test("X8: where the subject is empty, the alternative names are critical")
    func emptySubject() {
        #expect(Self.judge { $0.subjectIsEmpty = true } == .alternativeNamesNotCritical)
        #expect(
            Self.judge {
                $0.subjectIsEmpty = true
                $0.alternativeNamesAreCritical = true
            } == nil)
        #expect(Self.judge { $0.alternativeNamesAreCritical = true } == nil)
    }

    @Test("Every refusal has a word of its own")
    func reasons() {
        let errors: [X509SVIDError] = [
            .alternativeNamesNotCritical, .certificateAuthority, .extendedKeyUsage, .identifier(.path),
            .keyUsageNotCritical, .noDigitalSignature, .noKeyUsage, .noPath, .noURI, .severalURIs, .signingKeyUsage,
        ]
        #expect(Set(errors.map(\.reason)).count == errors.count)
        #expect(errors.allSatisfy { $0.reason.hasPrefix("svid.") })
    }
}
