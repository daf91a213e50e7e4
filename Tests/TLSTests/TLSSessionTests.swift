import Bytes
import Cryptography
import TLS
import Testing

/// Two sessions joined in memory.
private final class Pair {
    let serverWire = TLSWire()
    let clientWire = TLSWire()
    let server: TLSSession
    let client: TLSSession
    var received = ByteQueue()
    var answered = ByteQueue()
    var serverOutcomes: [TLSSession.Outcome] = []
    var clientOutcomes: [TLSSession.Outcome] = []
    private let now: UnixTime

    init(_ world: World, context: TLSContext, client: TLSContext, host: String = "localhost", now: UnixTime) throws {
        server = try TLSSession(server: context, wire: serverWire)
        self.client = try TLSSession(client: client, wire: clientWire, host: host)
        self.now = now
    }

    /// Runs until neither side has anything to send; `step` bytes at a time.
    func run(step: Int = .max) {
        if !client.isEstablished { clientOutcomes.append(client.start(now: now)) }
        while !clientWire.output.isEmpty || !serverWire.output.isEmpty {
            let fromClient = clientWire.output.withReadable { Array(copying: $0) }
            clientWire.output.removeAll()
            feed(fromClient, step, to: server, &received, &serverOutcomes)
            let fromServer = serverWire.output.withReadable { Array(copying: $0) }
            serverWire.output.removeAll()
            feed(fromServer, step, to: client, &answered, &clientOutcomes)
        }
    }

    private func feed(
        _ bytes: [UInt8], _ step: Int, to session: TLSSession, _ plaintext: inout ByteQueue,
        _ outcomes: inout [TLSSession.Outcome]
    ) {
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start.addingReportingOverflow(step).overflow ? .max : start + step)
            outcomes.append(session.receive(bytes.span.extracting(start..<end), now: now, into: &plaintext))
            start = end
        }
    }
}

private final class OneBundle: ClientCertificatePolicy {
    let anchors: TrustAnchors
    let refusal: String?

    init(_ anchors: TrustAnchors, refusal: String? = nil) {
        self.anchors = anchors
        self.refusal = refusal
    }

    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
        if let refusal { throw CertificateRefusal(refusal) }
        return anchors
    }

    func contribute(to scope: inout TLSScope) {}
}

/// The authorities and certificates that the tests need.
private struct World {
    static let now = UnixTime(seconds: 1_800_000_000)
    let serverAuthority: CertificateAuthority
    let agents: CertificateAuthority
    let strangers: CertificateAuthority

    init() throws {
        serverAuthority = try Self.authority("servers")
        agents = try Self.authority("agents")
        strangers = try Self.authority("strangers")
    }

    private static func authority(_ name: String) throws -> CertificateAuthority {
        try CertificateAuthority.make(
            commonName: name, uri: nil, validFor: now - .seconds(3600)...now + .seconds(86_400))
    }

    func server(dns: String) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try serverAuthority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: dns, dnsNames: [dns], notBefore: Self.now - .seconds(60),
                notAfter: Self.now + .seconds(3600)))
        return ServerCertificate(chain: [certificate], key: key)
    }

    func agent(
        of authority: CertificateAuthority, notAfter: UnixTime = now + .seconds(600)
    ) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, uris: ["spiffe://example.test/agent"], notBefore: Self.now - .seconds(60),
                notAfter: notAfter))
        return ServerCertificate(chain: [certificate], key: key)
    }

    func context(
        _ certificates: [ServerCertificate], demand: ClientCertificateDemand = .required,
        protocols: [ApplicationProtocol] = [.h2, .http11], refusal: String? = nil
    ) throws -> TLSContext {
        let anchors = try TrustAnchors(trustDomain: "example.test", certificates: [agents.certificate])
        return try TLSContext(
            certificates: certificates, minimumVersion: .v13, applicationProtocols: protocols, demand: demand,
            policy: OneBundle(anchors, refusal: refusal))
    }

    func client(_ identity: ServerCertificate?, protocols: [ApplicationProtocol] = [.http11]) throws -> TLSContext {
        let anchors = try TrustAnchors(trustDomain: "servers", certificates: [serverAuthority.certificate])
        return try TLSContext(trusting: anchors, identity: identity, applicationProtocols: protocols)
    }
}

@Suite("TLS sessions")
struct TLSSessionTests {
    private let world: World

    init() throws {
        world = try World()
    }

    private func pair(
        _ identity: ServerCertificate?, demand: ClientCertificateDemand = .required, refusal: String? = nil,
        protocols: [ApplicationProtocol] = [.http11], at now: UnixTime = World.now
    ) throws -> Pair {
        let context = try world.context([world.server(dns: "localhost")], demand: demand, refusal: refusal)
        return try Pair(world, context: context, client: world.client(identity, protocols: protocols), now: now)
    }

    @Test("A client with a certificate of the bundle is authenticated", arguments: [1, 7, Int.max])
    func authenticates(step: Int) throws {
        let identity = try world.agent(of: world.agents)
        let pair = try pair(identity)
        pair.run(step: step)
        #expect(pair.server.isEstablished)
        #expect(pair.server.peerCertificate?.trustDomain == "example.test")
        #expect(pair.server.peerCertificate?.facts.fingerprint == identity.chain[0].facts.fingerprint)
        #expect(pair.server.applicationProtocol == .http11)
        #expect(pair.server.serverName == "localhost")
    }

    @Test("Plaintext goes both ways, whatever its size", arguments: [1, 16_384, 100_000])
    func carries(count: Int) throws {
        let pair = try pair(world.agent(of: world.agents))
        pair.run()
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        let sent = pair.client.send(bytes.span)
        pair.run()
        let answered = pair.server.send(bytes.span)
        pair.run()
        let arrived = pair.received.withReadable { Array(copying: $0) }
        let returned = pair.answered.withReadable { Array(copying: $0) }
        #expect(sent && answered)
        #expect(arrived == bytes)
        #expect(returned == bytes)
    }

    @Test("A client without a certificate is refused where one is required")
    func refusesAbsence() throws {
        let pair = try pair(nil)
        pair.run()
        #expect(!pair.server.isEstablished)
        #expect(pair.server.isOver)
    }

    @Test("A client without a certificate is let in where one is optional")
    func allowsAbsence() throws {
        let pair = try pair(nil, demand: .optional)
        pair.run()
        #expect(pair.server.isEstablished)
        #expect(pair.server.peerCertificate == nil)
    }

    @Test("A certificate of another authority is refused", arguments: ClientCertificateDemand.allCases)
    func refusesStranger(demand: ClientCertificateDemand) throws {
        let pair = try pair(world.agent(of: world.strangers), demand: demand)
        pair.run()
        #expect(!pair.server.isEstablished)
        #expect(pair.server.refusal == CertificateRefusal("certificate.untrusted"))
        #expect(pair.server.peerCertificate == nil)
    }

    @Test("An expired certificate is refused")
    func refusesExpired() throws {
        let pair = try pair(
            world.agent(of: world.agents, notAfter: World.now + .seconds(10)), at: World.now + .seconds(11))
        pair.run()
        #expect(!pair.server.isEstablished)
        #expect(pair.server.refusal == CertificateRefusal("certificate.expired"))
    }

    @Test("What the policy refuses is refused, whatever its path")
    func refusesByPolicy() throws {
        let pair = try pair(world.agent(of: world.agents), refusal: "svid.no-uri")
        pair.run()
        #expect(!pair.server.isEstablished)
        #expect(pair.server.refusal == CertificateRefusal("svid.no-uri"))
    }

    @Test("The first of our protocols that the client offers is chosen")
    func negotiates() throws {
        let pair = try pair(world.agent(of: world.agents), protocols: [.http11, .h2])
        pair.run()
        #expect(pair.server.applicationProtocol == .h2)
    }

    @Test("A client that offers only other protocols is refused")
    func refusesProtocols() throws {
        let context = try world.context([world.server(dns: "localhost")], protocols: [.h2])
        let client = try world.client(world.agent(of: world.agents), protocols: [.http11])
        let pair = try Pair(world, context: context, client: client, now: World.now)
        pair.run()
        #expect(!pair.server.isEstablished)
        #expect(pair.server.isOver)
    }

    @Test("The certificate is chosen by SNI", arguments: [("a.test", 0), ("b.test", 1)])
    func choosesCertificate(host: String, index: Int) throws {
        let context = try world.context([world.server(dns: "a.test"), world.server(dns: "b.test")])
        let client = try world.client(world.agent(of: world.agents))
        let pair = try Pair(world, context: context, client: client, host: host, now: World.now)
        pair.run()
        #expect(pair.client.isEstablished)
        #expect(pair.server.certificateIndex == index)
        #expect(pair.server.peerCertificate != nil)
    }

    @Test("A client refuses a server whose certificate bears another name")
    func checksServerName() throws {
        let context = try world.context([world.server(dns: "a.test")])
        let client = try world.client(world.agent(of: world.agents))
        let pair = try Pair(world, context: context, client: client, host: "b.test", now: World.now)
        pair.run()
        #expect(!pair.client.isEstablished)
        #expect(!pair.server.isEstablished)
    }

    @Test(
        "Garbage instead of a handshake ends the session",
        arguments: ["GET / HTTP/1.1\r\n\r\n", "\u{16}\u{3}\u{1}zzzzzzzz"])
    func refusesGarbage(text: String) throws {
        let wire = TLSWire()
        let session = try TLSSession(server: world.context([world.server(dns: "localhost")]), wire: wire)
        var plaintext = ByteQueue()
        _ = session.receive(text.utf8.span, now: World.now, into: &plaintext)
        _ = session.receive(Array(repeating: 0, count: 20_000).span, now: World.now, into: &plaintext)
        #expect(session.isOver)
        #expect(plaintext.count == 0)
    }

    @Test("close_notify is told from a cut connection")
    func closes() throws {
        let pair = try pair(world.agent(of: world.agents))
        pair.run()
        pair.client.close()
        pair.run()
        #expect(pair.serverOutcomes.last == .ended)
        #expect(pair.server.isOver)
    }
}
