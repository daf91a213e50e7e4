import Bytes
import COpenSSL
import Cryptography
import TLS
import Testing

/// Whom a trial listener lets in; what is refused can be changed, as a revocation would.
private final class Bundle: ClientCertificatePolicy {
    private let certificates: [Certificate]
    private let anchors: TrustAnchors
    private let revoked: Set<Digest256>

    init(_ certificates: [Certificate], revoked: Set<Digest256> = []) throws {
        self.certificates = certificates
        self.revoked = revoked
        anchors = try TrustAnchors(trustDomain: "example.test", certificates: certificates)
    }

    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors { anchors }

    func admit(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal) {
        guard !revoked.contains(certificate.facts.fingerprint) else { throw CertificateRefusal("certificate.revoked") }
    }

    func contribute(to scope: inout TLSScope) {
        for certificate in certificates { scope.add("authority", certificate.facts.fingerprint) }
    }
}

/// A policy that says nothing of what it rests on, so that only its judgement stands between a ticket and a session.
private final class SilentBundle: ClientCertificatePolicy {
    private let bundle: Bundle

    init(_ bundle: Bundle) {
        self.bundle = bundle
    }

    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
        try bundle.anchors(for: leaf)
    }

    func admit(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal) {
        try bundle.admit(certificate, now: now)
    }

    func contribute(to scope: inout TLSScope) {}
}

@Suite("Resumption")
struct ResumptionTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private static let versions = [TLS1_2_VERSION, TLS1_3_VERSION]

    private let servers: CertificateAuthority
    private let agents: CertificateAuthority
    private let successors: CertificateAuthority
    private let server: ServerCertificate
    private let agent: ServerCertificate
    private let keys = TicketKeys(entropy: entropy(1))

    init() throws {
        servers = try Self.authority("servers")
        agents = try Self.authority("agents")
        successors = try Self.authority("agents")
        server = try Self.leaf(of: servers, dnsNames: ["localhost"])
        agent = try Self.leaf(of: agents)
    }

    // MARK: The trial

    private static func entropy(_ seed: UInt8) -> [UInt8] {
        (0..<TicketKeys.entropyByteCount).map { UInt8(truncatingIfNeeded: $0) &* 7 &+ seed }
    }

    private static func authority(_ name: String) throws -> CertificateAuthority {
        try CertificateAuthority.make(
            commonName: name, uri: nil, validFor: now - .seconds(3600)...now + .seconds(864_000))
    }

    private static func leaf(
        of authority: CertificateAuthority, dnsNames: [String] = [], notAfter: UnixTime = now + .seconds(86_400),
        behind intermediates: [Certificate] = []
    ) throws -> ServerCertificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let certificate = try authority.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "leaf", uris: ["spiffe://example.test/agent"],
                dnsNames: dnsNames, notBefore: now - .seconds(60), notAfter: notAfter))
        return ServerCertificate(chain: [certificate] + intermediates, key: key)
    }

    /// What is different about a listener.
    private struct Listener {
        var name = "agents"
        var certificates: [ServerCertificate]?
        var policy: (any ClientCertificatePolicy)?
        var demand = ClientCertificateDemand.required
        var minimumVersion = TLSVersion.v12
        var protocols: [ApplicationProtocol] = [.h2, .http11]
        var keys: TicketKeys?
        var resumes = true
        var lifetime = Resumption.standardLifetime
    }

    private func context(_ listener: Listener = Listener()) throws -> TLSContext {
        var scope = TLSScope()
        scope.add("listener", listener.name)
        let resumption = Resumption(keys: listener.keys ?? keys, scope: scope, lifetime: listener.lifetime)
        return try TLSContext(
            certificates: listener.certificates ?? [server], minimumVersion: listener.minimumVersion,
            applicationProtocols: listener.protocols, demand: listener.demand,
            policy: listener.policy ?? Bundle([agents.certificate]), resumption: listener.resumes ? resumption : nil)
    }

    /// What came of a connection.
    private struct Meeting {
        let server: TLSSession
        let client: TrialClient
    }

    private func connect(
        to context: TLSContext, at now: UnixTime = now, _ settings: TrialClient.Settings
    ) throws -> Meeting {
        let wire = TLSWire()
        let session = try TLSSession(server: context, wire: wire)
        let client = try TrialClient(settings)
        client.run(with: session, wire: wire, now: now)
        return Meeting(server: session, client: client)
    }

    private func settings(
        _ version: CInt, identity: ServerCertificate? = nil, ticket: TrialClient.Ticket? = nil
    ) -> TrialClient.Settings {
        TrialClient.Settings(version: version, identity: identity ?? agent, ticket: ticket)
    }

    /// A ticket from a full handshake with that listener.
    private func ticket(
        _ version: CInt, of listener: Listener = Listener(), identity: ServerCertificate? = nil,
        at now: UnixTime = now
    ) throws -> TrialClient.Ticket {
        let meeting = try connect(to: context(listener), at: now, settings(version, identity: identity))
        #expect(meeting.server.isEstablished && !meeting.server.isResumed)
        return try #require(meeting.client.tickets.last)
    }

    /// Whether a ticket of `first` is taken by `second`; the client is known either way.
    private func isTaken(
        _ version: CInt, from first: Listener = Listener(), by second: Listener, at later: UnixTime = now
    ) throws -> Bool {
        let ticket = try ticket(version, of: first)
        let meeting = try connect(to: context(second), at: later, settings(version, ticket: ticket))
        #expect(meeting.server.isEstablished)
        #expect(meeting.server.peerCertificate?.facts.fingerprint == agent.chain[0].facts.fingerprint)
        #expect(meeting.server.isResumed == meeting.client.isResumed)
        return meeting.server.isResumed
    }

    // MARK: What is resumed

    @Test("A ticket of a worker is taken by another, and names the same client", arguments: versions)
    func resumes(version: CInt) throws {
        #expect(try isTaken(version, by: Listener()))
    }

    @Test("A resumed session gives a ticket that is taken too", arguments: versions)
    func resumesAgain(version: CInt) throws {
        let first = try ticket(version)
        let second = try connect(to: context(), at: Self.now + .seconds(10), settings(version, ticket: first))
        let third = try connect(
            to: context(), at: Self.now + .seconds(20),
            settings(version, ticket: second.client.tickets.last))
        #expect(second.server.isResumed && third.server.isResumed)
        #expect(third.server.peerCertificate?.facts.fingerprint == agent.chain[0].facts.fingerprint)
    }

    @Test("Plaintext flows in a resumed session, whatever protocol is chosen anew", arguments: versions)
    func carries(version: CInt) throws {
        var settings = settings(version, ticket: try ticket(version))
        settings.protocols = [.h2]
        let (wire, client) = (TLSWire(), try TrialClient(settings))
        let session = try TLSSession(server: context(), wire: wire)
        client.run(with: session, wire: wire, now: Self.now)
        let sent = session.send("hello".utf8.span)
        client.run(with: session, wire: wire, now: Self.now)
        #expect(sent && session.isResumed && session.applicationProtocol == .h2)
        #expect(client.received == Array("hello".utf8))
    }

    @Test("A hello that must be said twice resumes as well, and names the same server")
    func resumesAfterRetry() throws {
        var settings = settings(TLS1_3_VERSION)
        settings.groups = "P-521:X25519"
        let first = try connect(to: context(), settings)
        #expect(first.server.isEstablished && first.server.serverName == "localhost")
        settings.ticket = first.client.tickets.last
        let second = try connect(to: context(), settings)
        #expect(second.server.isResumed && second.client.group == "x25519")
        #expect(second.server.peerCertificate?.facts.fingerprint == agent.chain[0].facts.fingerprint)
    }

    @Test("The certificates between the client's and the anchor are remembered", arguments: versions)
    func remembersChain(version: CInt) throws {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        let intermediate = try agents.issue(
            CertificateRequest(
                publicKey: key.publicKey, commonName: "intermediate", notBefore: Self.now - .seconds(60),
                notAfter: Self.now + .seconds(600), isCertificateAuthority: true,
                keyUsage: KeyUsage([.keyCertSign, .crlSign]), extendedKeyUsages: nil))
        let authority = CertificateAuthority(certificate: intermediate, key: key)
        let identity = try Self.leaf(of: authority, behind: [intermediate])
        let ticket = try ticket(version, identity: identity)
        let soon = try connect(
            to: context(), at: Self.now + .seconds(599), settings(version, identity: identity, ticket: ticket))
        #expect(soon.server.isResumed)
        #expect(soon.server.peerCertificate?.facts.fingerprint == identity.chain[0].facts.fingerprint)
        // The leaf is valid still, but the intermediate has expired.
        let late = try connect(
            to: context(), at: Self.now + .seconds(600), settings(version, identity: identity, ticket: ticket))
        #expect(!late.server.isEstablished)
        #expect(late.server.refusal == CertificateRefusal("certificate.expired"))
    }

    @Test("Where clients may stay away, one that did is resumed as nobody", arguments: versions)
    func resumesNobody(version: CInt) throws {
        let context = try context(Listener(demand: .optional))
        let first = try connect(to: context, TrialClient.Settings(version: version))
        let ticket = try #require(first.client.tickets.last)
        let second = try connect(to: context, TrialClient.Settings(version: version, ticket: ticket))
        #expect(second.server.isResumed)
        #expect(second.server.peerCertificate == nil)
    }

    // MARK: What is not

    @Test("Where resumption is off there are no tickets, and one of before is not taken", arguments: versions)
    func off(version: CInt) throws {
        let off = try connect(to: context(Listener(resumes: false)), settings(version))
        #expect(off.server.isEstablished)
        #expect(off.client.tickets.isEmpty)
        #expect(try !isTaken(version, by: Listener(resumes: false)))
    }

    @Test("A ticket of another listener is not taken", arguments: versions)
    func anotherListener(version: CInt) throws {
        #expect(try !isTaken(version, by: Listener(name: "others")))
    }

    @Test("A ticket from before the bundle changed is not taken, whether authorities came or went", arguments: versions)
    func anotherBundle(version: CInt) throws {
        let both = try Bundle([agents.certificate, successors.certificate])
        #expect(try !isTaken(version, by: Listener(policy: both)))
        #expect(try !isTaken(version, from: Listener(policy: both), by: Listener()))
        #expect(try isTaken(version, from: Listener(policy: both), by: Listener(policy: both)))
    }

    @Test("Once its authority is gone a client is refused, ticket or not", arguments: versions)
    func rotatedAuthority(version: CInt) throws {
        let ticket = try ticket(version)
        let meeting = try connect(
            to: context(Listener(policy: Bundle([successors.certificate]))), settings(version, ticket: ticket))
        #expect(!meeting.server.isEstablished)
        #expect(meeting.server.peerCertificate == nil)
    }

    @Test("The judgement alone refuses it too, were the scope to say nothing of the bundle", arguments: versions)
    func rotatedAuthorityBySilentPolicy(version: CInt) throws {
        let before = try SilentBundle(Bundle([agents.certificate]))
        let after = try SilentBundle(Bundle([successors.certificate]))
        #expect(try isTaken(version, from: Listener(policy: before), by: Listener(policy: before)))
        let ticket = try ticket(version, of: Listener(policy: before))
        let meeting = try connect(to: context(Listener(policy: after)), settings(version, ticket: ticket))
        #expect(!meeting.server.isEstablished)
        #expect(meeting.server.refusal == CertificateRefusal("certificate.untrusted"))
    }

    @Test("A ticket from before the demand changed is not taken", arguments: versions)
    func anotherDemand(version: CInt) throws {
        #expect(try !isTaken(version, by: Listener(demand: .optional)))
        #expect(try !isTaken(version, from: Listener(demand: .optional), by: Listener()))
    }

    @Test("A ticket of nobody is not taken where a certificate is demanded since", arguments: versions)
    func nobodyWhereDemanded(version: CInt) throws {
        let first = try connect(
            to: context(Listener(demand: .optional)), TrialClient.Settings(version: version))
        let ticket = try #require(first.client.tickets.last)
        let second = try connect(to: context(), TrialClient.Settings(version: version, ticket: ticket))
        #expect(!second.server.isEstablished)
    }

    @Test("A ticket of a client is worth nothing to one that shows no certificate elsewhere", arguments: versions)
    func judgedButNotTaken(version: CInt) throws {
        // The ticket is judged well before OpenSSL finds that its scope is another: nobody may be named by it.
        let ticket = try ticket(version, of: Listener(demand: .optional))
        let meeting = try connect(
            to: context(Listener(name: "others", demand: .optional)),
            TrialClient.Settings(version: version, ticket: ticket))
        #expect(meeting.server.isEstablished && !meeting.server.isResumed)
        #expect(meeting.server.peerCertificate == nil)
    }

    @Test("A ticket from before other protocols or versions were allowed is not taken")
    func otherSettings() throws {
        #expect(try !isTaken(TLS1_3_VERSION, by: Listener(minimumVersion: .v13)))
        #expect(try !isTaken(TLS1_3_VERSION, by: Listener(protocols: [.http11])))
    }

    @Test("A ticket of a client that was revoked since is not taken, and the client is refused", arguments: versions)
    func revoked(version: CInt) throws {
        let ticket = try ticket(version)
        let policy = try Bundle([agents.certificate], revoked: [agent.chain[0].facts.fingerprint])
        let meeting = try connect(to: context(Listener(policy: policy)), settings(version, ticket: ticket))
        #expect(!meeting.server.isEstablished)
        #expect(meeting.server.refusal == CertificateRefusal("certificate.revoked"))
    }

    @Test("A session does not outlive the client's certificate", arguments: versions)
    func expired(version: CInt) throws {
        let end = Self.now + .seconds(100)
        let identity = try Self.leaf(of: agents, notAfter: end)
        let ticket = try ticket(version, identity: identity)
        #expect(ticket.lifetimeHint <= 100)
        let inTime = try connect(
            to: context(), at: end - .seconds(1), settings(version, identity: identity, ticket: ticket))
        #expect(inTime.server.isResumed)
        let late = try connect(
            to: context(), at: end + .seconds(1), settings(version, identity: identity, ticket: ticket))
        #expect(!late.server.isEstablished)
        #expect(late.server.refusal == CertificateRefusal("certificate.expired"))
    }

    @Test("An expired ticket does not keep a client with a newer certificate out", arguments: versions)
    func renewed(version: CInt) throws {
        let old = try Self.leaf(of: agents, notAfter: Self.now + .seconds(100))
        let ticket = try ticket(version, identity: old)
        let meeting = try connect(
            to: context(), at: Self.now + .seconds(101), settings(version, identity: agent, ticket: ticket))
        #expect(meeting.server.isEstablished && !meeting.server.isResumed)
        #expect(meeting.server.peerCertificate?.facts.fingerprint == agent.chain[0].facts.fingerprint)
    }

    @Test("The key is proven anew after the lifetime, however often the session was resumed", arguments: versions)
    func lifetime(version: CInt) throws {
        let listener = Listener(lifetime: .seconds(60))
        let first = try ticket(version, of: listener)
        let second = try connect(
            to: context(listener), at: Self.now + .seconds(59), settings(version, ticket: first))
        #expect(second.server.isResumed)
        let ticket = try #require(second.client.tickets.last)
        #expect(version == TLS1_2_VERSION || ticket.lifetimeHint <= 1)
        let third = try connect(
            to: context(listener), at: Self.now + .seconds(60), settings(version, ticket: ticket))
        #expect(third.server.isEstablished && !third.server.isResumed)
    }

    @Test("A ticket from the future is not taken: the clock went back", arguments: versions)
    func future(version: CInt) throws {
        let ticket = try ticket(version)
        let meeting = try connect(
            to: context(), at: Self.now - .seconds(1), settings(version, ticket: ticket))
        #expect(meeting.server.isEstablished && !meeting.server.isResumed)
    }

    @Test("A ticket outlives one rotation of the keys, and not two", arguments: versions)
    func rotatedKeys(version: CInt) throws {
        let once = keys.rotated(entropy: Self.entropy(2))
        #expect(try isTaken(version, by: Listener(keys: once)))
        #expect(try !isTaken(version, by: Listener(keys: once.rotated(entropy: Self.entropy(3)))))
    }

    @Test("Keys that a worker adopts are used from then on", arguments: versions)
    func adoptedKeys(version: CInt) throws {
        let context = try context()
        context.ticketKeys = TicketKeys(entropy: Self.entropy(9))
        let first = try connect(to: context, settings(version))
        let ticket = try #require(first.client.tickets.last)
        #expect(try connect(to: context, settings(version, ticket: ticket)).server.isResumed)
        #expect(try !connect(to: self.context(), settings(version, ticket: ticket)).server.isResumed)
    }

    @Test("A ticket is for the host that it was made for", arguments: versions)
    func anotherHost(version: CInt) throws {
        let both = try Self.leaf(of: servers, dnsNames: ["a.test", "b.test"])
        let other = try Self.leaf(of: servers, dnsNames: ["c.test"])
        let context = try context(Listener(certificates: [both, other]))
        var settings = settings(version)
        let cases: [(String?, Bool, Int)] = [
            ("a.test", true, 0), ("A.TEST", true, 0), ("b.test", false, 0), ("c.test", false, 1), (nil, false, 0),
        ]
        for (name, isResumed, index) in cases {
            settings.ticket = nil
            settings.serverName = "a.test"
            settings.ticket = try connect(to: context, settings).client.tickets.last
            settings.serverName = name
            let meeting = try connect(to: context, settings)
            #expect(meeting.server.isEstablished)
            #expect(meeting.server.isResumed == isResumed, "\(name ?? "none")")
            #expect(meeting.server.certificateIndex == index)
            #expect(meeting.server.peerCertificate != nil)
        }
    }

    @Test("A ticket of another certificate's scope is not taken, though the host is the same")
    func anotherCertificate() throws {
        for version in Self.versions {
            let renewed = try Self.leaf(of: servers, dnsNames: ["localhost"])
            #expect(try !isTaken(version, by: Listener(certificates: [renewed])))
        }
    }

    @Test("A session of TLS 1.2 whose secrets are not bound to its handshake is not resumed")
    func withoutExtendedMasterSecret() throws {
        var settings = settings(TLS1_2_VERSION)
        settings.offersExtendedMasterSecret = false
        let first = try connect(to: context(), settings)
        #expect(first.server.isEstablished)
        settings.ticket = first.client.tickets.last
        let second = try connect(to: context(), settings)
        #expect(second.server.isEstablished && !second.server.isResumed)
    }

    @Test("A ticket that was tampered with, or is garbage, is not taken", arguments: [0, 16, 40, 200])
    func tampered(offset: Int) throws {
        let first = try ticket(TLS1_3_VERSION)
        let changed = try #require(first.changed(at: offset))
        let meeting = try connect(to: context(), settings(TLS1_3_VERSION, ticket: changed))
        #expect(meeting.server.isEstablished && !meeting.server.isResumed)
        #expect(meeting.server.peerCertificate?.facts.fingerprint == agent.chain[0].facts.fingerprint)
    }
}
