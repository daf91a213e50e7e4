import Bytes
import Configuration
import Cryptography
import Exchange
import HTTP2
import Identity
import ProxyProtocol
import Reactor
import TLS

/// Who may stay: the client at the end of its handshake, and whenever what is trusted changes.
extension ClientConnection {
    /// The handshake is done: admits the peer, and chooses the driver.
    func established() {
        do {
            let peer = try session.peerCertificate.map { certificate in try listener.policy.peer(certificate) }
            try takeShare(of: peer)
            let context = ConnectionContext(
                rules: listener.rules, peer: peer, address: "\(address)", serverName: session.serverName,
                certificateIndex: session.certificateIndex)
            self.context = context
            driver = try makeDriver()
            phase = .serving
            progressedAt = worker.now
            // What was revoked since the handshake judged the client.
            guard !isRevoked(by: worker.plan.snapshot.revocations), settleTrust() else { return }
            driver?.start()
            if worker.isDraining { driver?.drain(isLast: false) }
        } catch {
            recordRefusal((error as? CertificateRefusal)?.reason ?? "connection.failed")
            close()
        }
    }

    /// In whose name a connection to an upstream begins that wants to know.
    func proxiedClient(_ context: ConnectionContext) -> ProxiedClient {
        ProxiedClient(
            key: key, context: context, addresses: proxyAddresses ?? ownAddresses,
            applicationProtocol: session.applicationProtocol?.rawValue, tlsVersion: session.versionName)
    }

    private var ownAddresses: ProxyAddresses? {
        guard let source = NetworkEndpoint(address), let local = socket.localAddress.flatMap(NetworkEndpoint.init)
        else {
            return nil
        }
        return ProxyAddresses(source: source, destination: local)
    }

    private func takeShare(of peer: VerifiedPeer?) throws(CertificateRefusal) {
        let client = peer?.certificate.fingerprint ?? worker.emptyDigest
        switch worker.connections.enter(client: client, isNamed: peer != nil) {
        case .admitted: break
        case .refused: throw CertificateRefusal("overload.client-connections")
        case .inPlace(let other):
            guard worker.closeIdle(of: other) else {
                worker.connections.leave(client: client)
                throw CertificateRefusal("overload.client-connections")
            }
        }
        self.client = client
    }

    /// Whether nothing is known of the client yet.
    var isInHandshake: Bool { phase == .preamble || phase == .handshake }

    /// Whether it is that client's, and nothing is under way.
    func isIdle(of client: Digest256) -> Bool {
        self.client == client && phase == .serving && driver?.isIdle == true
    }

    private func makeDriver() throws -> ConnectionDriver {
        if case .tcp = listener.rules.mode { return RelayDriver(connection: self) }
        let limits = worker.plan.snapshot.limits
        guard session.applicationProtocol == .h2 else {
            return HTTP1Driver(connection: self, limits: limits)
        }
        return try HTTP2Driver(connection: self, limits: limits)
    }

    // MARK: Reload

    /// Takes over the listener's new rules.
    ///
    /// - Returns: whether the client must be judged anew, by ``settleTrust()``.
    func adopt(_ plan: WorkerPlan) -> Bool {
        let before = listener
        listener = plan.listeners[listenerIndex]
        if before.trust != listener.trust { isTrustStale = true }
        if let context { self.context = context.under(listener.rules, peer: context.peer) }
        return isTrustStale
    }

    /// What was judged counts no more: the client must be judged anew, if it has shown a certificate.
    ///
    /// - Returns: whether by ``settleTrust()`` now; one that is in its handshake is judged at the end of that.
    func distrust() -> Bool {
        if let context, context.peer == nil { return false }
        isTrustStale = true
        return context != nil
    }

    /// Judges the client by the rules of now, if they have changed; false where the connection is over for that.
    @discardableResult
    func settleTrust() -> Bool {
        guard isTrustStale, phase == .serving, let context else { return phase != .closed }
        isTrustStale = false
        do {
            let certificate = try session.judgePeer(by: listener.policy, now: worker.time)
            if certificate == nil, listener.demand == .required { throw CertificateRefusal("certificate.missing") }
            let peer = try certificate.map { certificate in try listener.policy.peer(certificate) }
            self.context = context.under(listener.rules, peer: peer)
            if driver is RelayDriver {
                // Also where the listener passes no bytes any more: then its rules admit nobody.
                guard let peer else { throw CertificateRefusal("certificate.missing") }
                _ = try listener.rules.admit(peer, under: worker.plan.snapshot, now: worker.time)
            }
            return true
        } catch {
            let reason = (error as? CertificateRefusal)?.reason ?? (error as? Denial)?.reason ?? "connection.failed"
            recordRefusal(reason)
            close(reason)
            return false
        }
    }

    func recordRefusal(_ reason: String) {
        worker.recordRefusedConnection(
            listener: listener.rules.name, peer: "\(address)", client: context?.peer, reason: reason)
    }
}
