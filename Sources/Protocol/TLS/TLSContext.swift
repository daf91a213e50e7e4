internal import Bytes
internal import COpenSSL
internal import CShims
import Cryptography

/// Whether a client must present a certificate.
public enum ClientCertificateDemand: String, CaseIterable, Sendable {
    /// The handshake fails without one.
    case required
    /// It may stay away; a bad one fails the handshake all the same.
    case optional
}

/// The settings that TLS sessions of one thread share (SSL_CTX): made at start and reload, never per connection.
///
/// Not Sendable: each worker makes its own, so that reference counts and prefetched algorithms stay in one thread.
@safe
public final class TLSContext {
    let certificates: [ServerCertificate]
    let applicationProtocols: [ApplicationProtocol]
    let clientPolicy: (any ClientCertificatePolicy)?
    let demand: ClientCertificateDemand
    /// How long sessions can be resumed; nothing: not at all.
    let resumptionLifetime: Interval?
    let keyLog: KeyLog?
    /// The cipher of tickets, fetched once.
    let ticketCipher: TicketCipher?
    /// What seals tickets: set by the thread that owns the context when the keys are rotated.
    public var ticketKeys: TicketKeys?
    /// The anchors for a server; nothing on the server's side.
    let anchors: TrustAnchors?
    /// What a server's certificate must say, where the sessions do not say it themselves.
    private(set) var expectation: ServerIdentity?
    private(set) var serverName: String?
    /// One SSL_CTX a certificate; the first is the default.
    ///
    /// Freed in deinit, after the sessions that retain this object.
    private(set) var handles: [OpaquePointer] = unsafe []

    /// Takes a line of secrets in the format of NSS, without line feed.
    public typealias KeyLog = @Sendable (_ line: String) -> Void

    /// Makes the server's side.
    ///
    /// - Parameters:
    ///   - certificates: at least one; chosen by SNI, the first where no other names the host.
    ///   - minimumVersion: the lowest version of TLS.
    ///   - applicationProtocols: in the order of preference; a client that offers none of them is refused.
    ///   - demand: whether clients must present a certificate.
    ///   - policy: judges client certificates.
    ///   - resumption: how sessions can be resumed; nothing: not at all.
    ///   - keyLog: is told the secrets of every session: whoever has them reads the traffic.
    public init(
        certificates: [ServerCertificate], minimumVersion: TLSVersion, applicationProtocols: [ApplicationProtocol],
        demand: ClientCertificateDemand, policy: any ClientCertificatePolicy, resumption: Resumption? = nil,
        keyLog: KeyLog? = nil
    ) throws(TLSError) {
        guard !certificates.isEmpty else { throw TLSError("a listener needs a certificate") }
        self.certificates = certificates
        self.applicationProtocols = applicationProtocols
        self.demand = demand
        self.keyLog = keyLog
        clientPolicy = policy
        anchors = nil
        resumptionLifetime = resumption?.lifetime
        ticketKeys = resumption?.keys
        ticketCipher = resumption == nil ? nil : try TicketCipher()
        for certificate in certificates {
            let handle = try unsafe Self.makeHandle(method: TLS_server_method(), minimumVersion: minimumVersion)
            unsafe handles.append(handle)
            try unsafe Self.use(certificate, in: handle)
            unsafe configureServer(handle)
            guard var scope = resumption?.scope, let lifetime = resumption?.lifetime else { continue }
            policy.contribute(to: &scope)
            scope.add("demand", demand.rawValue)
            scope.add("minimum version", minimumVersion.rawValue)
            for name in applicationProtocols { scope.add("protocol", name.rawValue) }
            for certificate in certificate.chain { scope.add("certificate", certificate.facts.fingerprint) }
            unsafe try allowResumption(handle, within: scope.digest(), for: lifetime)
        }
    }

    /// Makes the client's side: for upstreams.
    ///
    /// - Parameters:
    ///   - trusting: the only anchors for the server's certificate.
    ///   - identity: what is presented where the server asks.
    ///   - expecting: what the server's certificate must say.
    ///   - serverName: the host that is named in the handshake (SNI), if any; never an address.
    ///   - applicationProtocols: offered in this order.
    public convenience init(
        trusting anchors: TrustAnchors, identity: ServerCertificate?, expecting expectation: ServerIdentity,
        serverName: String?, applicationProtocols: [ApplicationProtocol]
    ) throws(TLSError) {
        try self.init(trusting: anchors, identity: identity, applicationProtocols: applicationProtocols)
        self.expectation = expectation
        self.serverName = serverName
    }

    /// Makes the client's side for tools and tests, whose sessions say which host they mean.
    ///
    /// - Parameters:
    ///   - trusting: the only anchors for the server's certificate.
    ///   - identity: what is presented where the server asks.
    ///   - applicationProtocols: offered in this order.
    public init(
        trusting anchors: TrustAnchors, identity: ServerCertificate?, applicationProtocols: [ApplicationProtocol]
    ) throws(TLSError) {
        certificates = []
        self.applicationProtocols = applicationProtocols
        clientPolicy = nil
        demand = .optional
        resumptionLifetime = nil
        ticketCipher = nil
        keyLog = nil
        self.anchors = anchors
        let handle = try unsafe Self.makeHandle(method: TLS_client_method(), minimumVersion: .v12)
        unsafe handles.append(handle)
        if let identity { try unsafe Self.use(identity, in: handle) }
        unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            handle,
            { path, _ in
                guard let path = unsafe path, let session = unsafe TLSSession.verifying(path) else { return 0 }
                return unsafe session.verifyServer(path) ? 1 : 0
            }, nil)
        var list = ByteQueue()
        for name in applicationProtocols { name.append(to: &list) }
        guard !list.isEmpty else { return }
        let code = unsafe list.readable.withUnsafeBufferPointer {
            unsafe SSL_CTX_set_alpn_protos(handle, $0.baseAddress, UInt32($0.count))
        }
        guard code == 0 else { throw .drained("SSL_CTX_set_alpn_protos") }
    }

    deinit {
        while let handle = unsafe handles.popLast() { unsafe SSL_CTX_free(handle) }
    }
}
