import Bytes
import Cryptography
import Identity
import TLS
import Testing

@Suite("Upstreams that are known by SPIFFE ID")
struct UpstreamIdentitiesTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let name = "spiffe://example.test/orders"
    private let authority: CertificateAuthority

    init() throws {
        authority = try CertificateAuthority.make(
            commonName: "services", uri: nil, validFor: Self.now - .seconds(3600)...Self.now + .seconds(86_400))
    }

    private final class Anyone: ClientCertificatePolicy {
        func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
            throw CertificateRefusal("nobody")
        }

        func contribute(to scope: inout TLSScope) {}
    }

    private func certificate(
        uris: [String], dnsNames: [String] = [], from authority: CertificateAuthority? = nil,
        notAfter: UnixTime = now + .seconds(600)
    ) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let leaf = try (authority ?? self.authority).issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "leaf", uris: uris, dnsNames: dnsNames,
                notBefore: Self.now - .seconds(60), notAfter: notAfter))
        return ServerCertificate(chain: [leaf], key: key)
    }

    /// What the client makes of a server with that certificate: the certificate's fingerprint, or the refusal's reason.
    private func call(
        _ certificate: ServerCertificate, expecting expectation: ServerIdentity, serverName: String? = "orders.test"
    ) throws -> Result<Digest256, CertificateRefusal>? {
        let serverContext = try TLSContext(
            certificates: [certificate], minimumVersion: .v13, applicationProtocols: [.h2, .http11], demand: .optional,
            policy: Anyone())
        let anchors = try TrustAnchors(trustDomain: "example.test", certificates: [authority.certificate])
        let clientContext = try TLSContext(
            trusting: anchors, identity: nil, expecting: expectation, serverName: serverName,
            applicationProtocols: [.h2])
        let (serverWire, clientWire) = (TLSWire(), TLSWire())
        let server = try TLSSession(server: serverContext, wire: serverWire)
        let client = try TLSSession(client: clientContext, wire: clientWire)
        var plaintext = ByteQueue()
        _ = client.start(now: Self.now)
        while !clientWire.output.isEmpty || !serverWire.output.isEmpty {
            let fromClient = clientWire.output.withReadable { Array(copying: $0) }
            clientWire.output.removeAll()
            if !fromClient.isEmpty { _ = server.receive(fromClient.span, now: Self.now, into: &plaintext) }
            let fromServer = serverWire.output.withReadable { Array(copying: $0) }
            serverWire.output.removeAll()
            if !fromServer.isEmpty { _ = client.receive(fromServer.span, now: Self.now, into: &plaintext) }
        }
        #expect(server.serverName == (client.isEstablished ? serverName : server.serverName))
        if let refusal = client.refusal { return .failure(refusal) }
        return client.serverCertificate.map { .success($0.fingerprint) }
    }

    private func expectation(_ names: String...) throws -> ServerIdentity {
        .spiffe(Set(try names.map { try SPIFFEID($0.utf8.span) }))
    }

    @Test("An upstream with one of the names is taken, whatever host it says it is")
    func named() throws {
        let certificate = try certificate(uris: [Self.name], dnsNames: ["else.test"])
        let expectation = try expectation("spiffe://example.test/a", Self.name)
        #expect(try call(certificate, expecting: expectation) == .success(certificate.chain[0].facts.fingerprint))
        #expect(
            try call(certificate, expecting: expectation, serverName: nil)
                == .success(certificate.chain[0].facts.fingerprint))
    }

    @Test("An upstream with another name is refused, though the path is valid")
    func otherName() throws {
        let certificate = try certificate(uris: ["spiffe://example.test/other"], dnsNames: ["orders.test"])
        #expect(
            try call(certificate, expecting: expectation(Self.name)) == .failure(CertificateRefusal("svid.unexpected")))
    }

    @Test("A certificate that is no X509-SVID is refused, and so is one with two names")
    func noSVID() throws {
        let plain = try certificate(uris: [], dnsNames: ["orders.test"])
        #expect(try call(plain, expecting: expectation(Self.name)) == .failure(CertificateRefusal("svid.no-uri")))
        let double = try certificate(uris: [Self.name, "spiffe://example.test/b"])
        #expect(
            try call(double, expecting: expectation(Self.name)) == .failure(CertificateRefusal("svid.several-uris")))
    }

    @Test("The right name from a stranger's authority is refused")
    func stranger() throws {
        let strangers = try CertificateAuthority.make(
            commonName: "strangers", uri: nil, validFor: Self.now - .seconds(3600)...Self.now + .seconds(86_400))
        let certificate = try certificate(uris: [Self.name], from: strangers)
        #expect(
            try call(certificate, expecting: expectation(Self.name))
                == .failure(CertificateRefusal("certificate.untrusted")))
    }

    @Test("The right name is refused once the certificate has expired")
    func expired() throws {
        let certificate = try certificate(uris: [Self.name], notAfter: Self.now - .seconds(1))
        #expect(
            try call(certificate, expecting: expectation(Self.name))
                == .failure(CertificateRefusal("certificate.expired")))
    }

    @Test("No names admit nobody")
    func nobody() throws {
        #expect(
            try call(certificate(uris: [Self.name]), expecting: .spiffe([]))
                == .failure(CertificateRefusal("svid.unexpected")))
    }

    @Test(
        "By host name, an alternative name must say it",
        arguments: [("orders.test", true), ("other.test", false), ("orders.test.evil", false), ("", false)])
    func host(name: String, isTaken: Bool) throws {
        let certificate = try certificate(uris: [Self.name], dnsNames: ["orders.test"])
        let outcome = try call(certificate, expecting: .host(name), serverName: nil)
        #expect((outcome == .success(certificate.chain[0].facts.fingerprint)) == isTaken)
    }
}
