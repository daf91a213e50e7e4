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
    /// The anchors for a server; nothing on the server's side.
    let anchors: TrustAnchors?
    /// What a server's certificate must say, where the sessions do not say it themselves.
    private(set) var expectation: ServerIdentity?
    private(set) var serverName: String?
    /// One SSL_CTX a certificate; the first is the default.
    ///
    /// Freed in deinit, after the sessions that retain this object.
    private(set) var handles: [OpaquePointer] = unsafe []

    /// Suites of TLS 1.2: AEAD and forward secrecy only.
    ///
    /// TLS 1.3 has no others.
    private static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"
    /// X25519 first: OpenSSL 3.0 checks a peer's P-256 point slowly.
    private static let groups = "X25519:P-256:P-384"

    /// Makes the server's side.
    ///
    /// - Parameters:
    ///   - certificates: at least one; chosen by SNI, the first where no other names the host.
    ///   - minimumVersion: the lowest version of TLS.
    ///   - applicationProtocols: in the order of preference; a client that offers none of them is refused.
    ///   - demand: whether clients must present a certificate.
    ///   - policy: judges client certificates.
    public init(
        certificates: [ServerCertificate], minimumVersion: TLSVersion, applicationProtocols: [ApplicationProtocol],
        demand: ClientCertificateDemand, policy: any ClientCertificatePolicy
    ) throws(TLSError) {
        guard !certificates.isEmpty else { throw TLSError("a listener needs a certificate") }
        self.certificates = certificates
        self.applicationProtocols = applicationProtocols
        clientPolicy = policy
        anchors = nil
        for certificate in certificates {
            let handle = try unsafe Self.makeHandle(method: TLS_server_method(), minimumVersion: minimumVersion)
            unsafe handles.append(handle)
            try unsafe Self.use(certificate, in: handle)
            unsafe configureServer(handle, demand: demand)
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

    private static func makeHandle(
        method: OpaquePointer?, minimumVersion: TLSVersion
    ) throws(TLSError) -> OpaquePointer {
        guard let handle = unsafe SSL_CTX_new(method) else { throw .drained("SSL_CTX_new") }
        let lowest = minimumVersion == .v13 ? TLS1_3_VERSION : TLS1_2_VERSION
        unsafe sp_tls_restrict(handle)
        unsafe SSL_CTX_set_num_tickets(handle, 0)
        unsafe SSL_CTX_set_max_early_data(handle, 0)
        unsafe sp_tls_set_read_ahead(handle)
        unsafe sp_tls_set_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        guard unsafe sp_tls_set_versions(handle, lowest, TLS1_3_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(handle, suites) == 1, unsafe sp_tls_set_groups(handle, groups) == 1
        else {
            unsafe SSL_CTX_free(handle)
            throw .drained("TLS settings")
        }
        return unsafe handle
    }

    private static func use(_ certificate: ServerCertificate, in handle: OpaquePointer) throws(TLSError) {
        guard let leaf = certificate.chain.first else { throw TLSError("a certificate chain is empty") }
        guard unsafe leaf.withUnsafeHandle({ unsafe SSL_CTX_use_certificate(handle, $0) }) == 1 else {
            throw .drained("SSL_CTX_use_certificate")
        }
        for other in certificate.chain.dropFirst() {
            guard unsafe other.withUnsafeHandle({ unsafe sp_tls_add_chain_certificate(handle, $0) }) == 1 else {
                throw .drained("SSL_CTX_add1_chain_cert")
            }
        }
        guard unsafe certificate.key.withUnsafeHandle({ unsafe SSL_CTX_use_PrivateKey(handle, $0) }) == 1,
            unsafe SSL_CTX_check_private_key(handle) == 1
        else { throw .drained("SSL_CTX_use_PrivateKey") }
    }

    /// Hooks the callbacks up.
    ///
    /// They find this object unretained: sessions retain it for as long as their SSL lives.
    private func configureServer(_ handle: OpaquePointer, demand: ClientCertificateDemand) {
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        let mode = SSL_VERIFY_PEER | (demand == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(handle, mode, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            handle,
            { path, _ in
                guard let path = unsafe path, let session = unsafe TLSSession.verifying(path) else { return 0 }
                return unsafe session.verifyPeer(path) ? 1 : 0
            }, nil)
        unsafe SSL_CTX_set_alpn_select_cb(
            handle,
            { _, selected, selectedLength, offered, offeredLength, this in
                guard let this = unsafe this else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let context = unsafe Unmanaged<TLSContext>.fromOpaque(this).takeUnretainedValue()
                return unsafe context.select(offered, offeredLength, selected, selectedLength)
            }, this)
        unsafe sp_tls_set_server_name_callback(
            handle,
            { ssl, _, this in
                guard let ssl = unsafe ssl, let this = unsafe this else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                let context = unsafe Unmanaged<TLSContext>.fromOpaque(this).takeUnretainedValue()
                return unsafe context.chooseCertificate(for: ssl)
            }, this)
    }

    /// Chooses the first of our protocols that the client offers, and points into the client's list.
    private func select(
        _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
        _ selected: UnsafeMutablePointer<UnsafePointer<UInt8>?>?, _ selectedLength: UnsafeMutablePointer<UInt8>?
    ) -> CInt {
        guard let offered = unsafe offered else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        let list = unsafe Span(_unsafeStart: offered, count: Int(offeredLength))
        for ours in applicationProtocols {
            var start = 0
            while start < list.count {
                let length = Int(list[start])
                guard start + 1 + length <= list.count else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                if list.extracting(start + 1..<start + 1 + length).equals(utf8: ours.rawValue) {
                    unsafe selected?.pointee = offered + start + 1
                    unsafe selectedLength?.pointee = UInt8(length)
                    return SSL_TLSEXT_ERR_OK
                }
                start += 1 + length
            }
        }
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }

    /// Switches the session to the first certificate that names the host of SNI; the default stays where none does.
    private func chooseCertificate(for ssl: OpaquePointer) -> CInt {
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else { return SSL_TLSEXT_ERR_NOACK }
        let host = unsafe String(cString: name)
        guard let session = unsafe TLSSession.owning(ssl) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        session.serverName = host
        if let index = certificates.firstIndex(where: { $0.covers(host: host) }) {
            session.certificateIndex = index
            if index > 0 { unsafe SSL_set_SSL_CTX(ssl, handles[index]) }
        }
        return SSL_TLSEXT_ERR_OK
    }
}
