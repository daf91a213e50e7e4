import Bytes
import COpenSSL
import Cryptography
import Synchronization
import TLS
import Testing

private final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    var all: [String] { lines.withLock { $0 } }
}

private final class Everyone: ClientCertificatePolicy {
    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
        throw CertificateRefusal("nobody")
    }

    func contribute(to scope: inout TLSScope) {}
}

@Suite("TLS as it is set")
struct TLSSettingsTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private let authority: CertificateAuthority
    private let certificate: ServerCertificate

    init() throws {
        authority = try CertificateAuthority.make(
            commonName: "servers", uri: nil, validFor: Self.now - .seconds(3600)...Self.now + .seconds(864_000))
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let leaf = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "leaf", dnsNames: ["localhost"],
                notBefore: Self.now - .seconds(60), notAfter: Self.now + .seconds(3600)))
        certificate = ServerCertificate(chain: [leaf], key: key)
    }

    private func connect(
        _ settings: TrialClient.Settings, certificate: ServerCertificate? = nil, at now: UnixTime = now,
        protocols: [ApplicationProtocol] = [.h2, .http11], keyLog: TLSContext.KeyLog? = nil
    ) throws -> (client: TrialClient, server: TLSSession) {
        let context = try TLSContext(
            certificates: [certificate ?? self.certificate], minimumVersion: .v12, applicationProtocols: protocols,
            demand: .optional, policy: Everyone(), keyLog: keyLog)
        let wire = TLSWire()
        let server = try TLSSession(server: context, wire: wire)
        let client = try TrialClient(settings)
        client.run(with: server, wire: wire, now: now)
        return (client, server)
    }

    @Test("X25519 is the first group", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func groups(version: CInt) throws {
        let client = try connect(TrialClient.Settings(version: version)).client
        #expect(client.isEstablished)
        #expect(["x25519", "X25519", "X25519MLKEM768"].contains(client.group))
    }

    @Test("Suites of TLS 1.2 are authenticated and have forward secrecy")
    func suites() throws {
        for suite in ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"] {
            let client = try connect(TrialClient.Settings(version: TLS1_2_VERSION, suites: suite)).client
            #expect(client.isEstablished && client.suite == suite)
        }
        for suite in ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES128-CCM"] {
            let client = try connect(TrialClient.Settings(version: TLS1_2_VERSION, suites: suite)).client
            #expect(!client.isEstablished)
        }
    }

    @Test("TLS 1.1 is not spoken, whatever the lowest version allowed")
    func oldVersions() throws {
        #expect(
            try !connect(TrialClient.Settings(version: TLS1_1_VERSION, suites: "ALL:@SECLEVEL=0")).client.isEstablished)
        #expect(
            try connect(TrialClient.Settings(version: TLS1_2_VERSION, suites: "ALL:@SECLEVEL=0")).client.isEstablished)
    }

    @Test("A listener without protocols takes clients that offer some, and chooses none")
    func noProtocols() throws {
        let server = try connect(TrialClient.Settings(protocols: [.http11]), protocols: []).server
        #expect(server.isEstablished)
        #expect(server.applicationProtocol == nil)
    }

    // MARK: Key log

    @Test("Secrets are told only where that is asked for", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func keyLog(version: CInt) throws {
        let lines = Lines()
        _ = try connect(TrialClient.Settings(version: version)) { lines.append($0) }
        let labels = lines.all.map { $0.prefix { $0 != " " } }
        if version == TLS1_2_VERSION {
            #expect(labels == ["CLIENT_RANDOM"])
        } else {
            #expect(Set(labels).isSuperset(of: ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"]))
        }
    }

    // MARK: Stapling

    private static let hour = Interval.seconds(3600)

    private func response(
        _ status: CInt = V_OCSP_CERTSTATUS_GOOD, of leaf: Certificate? = nil, to nextUpdate: UnixTime? = now + hour
    ) throws -> [UInt8] {
        try TrialResponder(authority).response(
            for: leaf ?? certificate.chain[0], status: status, from: Self.now - Self.hour, to: nextUpdate)
    }

    @Test("What the responder said is stapled to whoever asks", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func staples(version: CInt) throws {
        let response = try response()
        var stapled = certificate
        stapled.staple = try OCSPStaple(der: response, for: certificate.chain[0])
        let asking = TrialClient.Settings(version: version, asksForStatus: true)
        #expect(try connect(asking, certificate: stapled).client.staple == response)
        #expect(try connect(TrialClient.Settings(version: version), certificate: stapled).client.staple == [])
        #expect(try connect(asking).client.staple == [])
    }

    @Test("A response that is not of this time is left out")
    func stale() throws {
        var stapled = certificate
        let staple = try OCSPStaple(der: response(), for: certificate.chain[0])
        stapled.staple = staple
        let asking = TrialClient.Settings(asksForStatus: true)
        #expect(staple.nextUpdate == Self.now + Self.hour)
        #expect(try !connect(asking, certificate: stapled, at: Self.now + Self.hour).client.staple.isEmpty)
        let late = try connect(asking, certificate: stapled, at: Self.now + Self.hour + .seconds(1)).client
        #expect(late.isEstablished && late.staple.isEmpty)
        #expect(!staple.isCurrent(at: Self.now - Self.hour - .seconds(1)))
    }

    @Test("A response without an end is always of this time")
    func endless() throws {
        let staple = try OCSPStaple(der: response(to: nil), for: certificate.chain[0])
        #expect(staple.nextUpdate == nil)
        #expect(staple.isCurrent(at: Self.now + .seconds(1_000_000)))
    }

    @Test("Only a good answer about the certificate is stapled")
    func responses() throws {
        func error(_ bytes: [UInt8]) -> OCSPStapleError? {
            do throws(OCSPStapleError) {
                _ = try OCSPStaple(der: bytes, for: certificate.chain[0])
                return nil
            } catch {
                return error
            }
        }
        let other = try authority.issue(
            CertificateRequest(
                publicKey: certificate.key.publicKey, commonName: "leaf", notBefore: Self.now - .seconds(60),
                notAfter: Self.now + .seconds(3600)))
        #expect(try error(response()) == nil)
        #expect(try error(response(of: other)) == .otherCertificate)
        #expect(try error(response(V_OCSP_CERTSTATUS_REVOKED)) == .revoked)
        #expect(try error(response(V_OCSP_CERTSTATUS_UNKNOWN)) == .unknown)
        #expect(try error(response() + [0]) == .malformed)
        #expect(error([]) == .malformed)
        #expect(error(Array("garbage".utf8)) == .malformed)
        // tryLater, in DER.
        #expect(error([0x30, 0x03, 0x0A, 0x01, 0x03]) == .unsuccessful)
    }
}
