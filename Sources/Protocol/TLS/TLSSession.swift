public import Bytes
internal import COpenSSL
internal import CShims
public import Cryptography

/// One TLS connection, fed with ciphertext and drained of it: it knows no socket.
///
/// What it produces goes to the thread's ``TLSWire/output``.
@safe
public final class TLSSession {
    /// What a call brought about.
    public enum Outcome: Equatable, Sendable {
        /// Nothing that matters: more bytes are needed, or some plaintext came.
        case proceeded
        /// The handshake has ended well in this call; plaintext may have come behind it.
        case established
        /// The peer has said that it sends no more (close_notify).
        case ended
        /// The session is over; an alert may wait in the wire's output.
        case failed(TLSError)
    }

    /// The largest plaintext of one record (RFC 8446 §5.1).
    private static let recordSize = 16_384

    let context: TLSContext
    private let wire: TLSWire
    /// Owned: freed in deinit, before context and wire are let go.
    let ssl: OpaquePointer
    private(set) var now = UnixTime(seconds: 0)

    /// Whether the handshake is done.
    public private(set) var isEstablished = false
    /// Whether nothing more can be received.
    public private(set) var isOver = false
    /// Judged during the handshake, before the client has proven that it holds the key.
    var judgedCertificate: AuthenticatedCertificate?
    /// The ticket that was judged well, if any was.
    var resumed: ResumedSession?
    var judgements = 0
    /// Whether the client's hello has been read.
    var saidHello = false
    /// Whether it offers to bind the secrets of TLS 1.2 to the handshake (RFC 7627).
    var offersExtendedMasterSecret = false
    /// What the server's certificate must say; on the client's side only.
    private var expectation: ServerIdentity?
    private var judgedServer: CertificateFacts?
    /// Why the peer's certificate was refused, if it was.
    public private(set) var refusal: CertificateRefusal?
    /// The host that the client named (SNI), as it came.
    public internal(set) var serverName: String?
    /// Which of the context's certificates was presented.
    public internal(set) var certificateIndex = 0

    /// Makes the server's side of a connection.
    public convenience init(server context: TLSContext, wire: TLSWire) throws(TLSError) {
        try self.init(context, wire)
        unsafe SSL_set_accept_state(ssl)
    }

    /// Makes the client's side of a connection to the server that the context expects.
    public convenience init(client context: TLSContext, wire: TLSWire) throws(TLSError) {
        guard let expectation = context.expectation else { throw TLSError("nothing is expected of the server") }
        try self.init(client: context, wire: wire, expecting: expectation, naming: context.serverName)
    }

    /// Makes the client's side of a connection to a host whose certificate must bear that name.
    public convenience init(client context: TLSContext, wire: TLSWire, host: String) throws(TLSError) {
        try self.init(client: context, wire: wire, expecting: .host(host), naming: host)
    }

    private convenience init(
        client context: TLSContext, wire: TLSWire, expecting expectation: ServerIdentity, naming name: String?
    ) throws(TLSError) {
        try self.init(context, wire)
        self.expectation = expectation
        if let name, !Self.isAddress(name) {
            guard unsafe sp_tls_set_host_name(ssl, name) == 1 else { throw .drained("SSL_set_tlsext_host_name") }
        }
        unsafe SSL_set_connect_state(ssl)
    }

    /// Addresses are not named in the handshake (RFC 6066 §3).
    private static func isAddress(_ name: String) -> Bool {
        guard let address = unsafe a2i_IPADDRESS(name) else {
            ERR_clear_error()
            return false
        }
        unsafe ASN1_OCTET_STRING_free(address)
        return true
    }

    private init(_ context: TLSContext, _ wire: TLSWire) throws(TLSError) {
        guard let handle = unsafe context.handles.first, let ssl = unsafe SSL_new(handle) else {
            throw .drained("SSL_new")
        }
        self.context = context
        self.wire = wire
        unsafe self.ssl = ssl
        let bio = unsafe try wire.makeBIO()
        unsafe SSL_set_bio(ssl, bio, bio)
        // Unretained: this object frees the SSL before it goes.
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    }

    deinit {
        unsafe SSL_free(ssl)
    }

    /// The client's certificate, once the handshake is done and if there was one: validated, and its key proven.
    public var peerCertificate: AuthenticatedCertificate? { isEstablished ? judgedCertificate : nil }

    /// Whether the session was resumed with a ticket; the certificate was then judged anew, by the present rules and time.
    public var isResumed: Bool { isEstablished && resumed != nil }

    /// What the server's certificate says, once the handshake is done: validated, as expected, and its key proven.
    ///
    /// On the server's side nothing.
    public var serverCertificate: CertificateFacts? { isEstablished ? judgedServer : nil }

    /// The protocol that ALPN settled, or nothing where the client offered none.
    public var applicationProtocol: ApplicationProtocol? {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        guard let name = unsafe name else { return nil }
        let bytes = unsafe Span(_unsafeStart: name, count: Int(length))
        return ApplicationProtocol.allCases.first { bytes.equals(utf8: $0.rawValue) }
    }

    /// The version that was agreed on, such as `TLSv1.3`.
    public var versionName: String { unsafe String(cString: SSL_get_version(ssl)) }

    /// Begins the handshake: for the client's side, which speaks first.
    public func start(now: UnixTime) -> Outcome {
        self.now = now
        return handshake()
    }

    /// Takes ciphertext, all of it, and appends the plaintext that it holds.
    ///
    /// - Parameters:
    ///   - ciphertext: bytes as they came from the peer.
    ///   - now: compared with the validity of the peer's certificate path.
    ///   - plaintext: receives what was decrypted.
    public func receive(_ ciphertext: Span<UInt8>, now: UnixTime, into plaintext: inout ByteQueue) -> Outcome {
        guard !isOver else { return .ended }
        self.now = now
        return unsafe withUnsafeMutablePointer(to: &plaintext) { plaintext in
            wire.feeding(ciphertext) { unsafe progress(&plaintext.pointee) }
        }
    }

    private func progress(_ plaintext: inout ByteQueue) -> Outcome {
        var outcome = Outcome.proceeded
        if !isEstablished {
            outcome = handshake()
            guard outcome == .established else { return outcome }
        }
        while true {
            var code: CInt = 0
            ERR_clear_error()
            unsafe plaintext.append(upTo: Self.recordSize) { room in
                code = unsafe SSL_read(ssl, room.baseAddress, CInt(room.count))
                return max(0, Int(code))
            }
            if code > 0 { continue }
            switch unsafe SSL_get_error(ssl, code) {
            case SSL_ERROR_WANT_READ:
                // Only reads are ever short of bytes: the wire takes all writes.
                return outcome
            case SSL_ERROR_ZERO_RETURN:
                isOver = true
                return .ended
            default:
                return fail("TLS record")
            }
        }
    }

    private func handshake() -> Outcome {
        ERR_clear_error()
        let code = unsafe SSL_do_handshake(ssl)
        if code == 1 {
            guard context.clientPolicy == nil || settlePeer() else { return fail("TLS peer") }
            isEstablished = true
            return .established
        }
        switch unsafe SSL_get_error(ssl, code) {
        case SSL_ERROR_WANT_READ: return .proceeded
        default: return fail("TLS handshake")
        }
    }

    private func fail(_ action: StaticString) -> Outcome {
        isOver = true
        judgedCertificate = nil
        resumed = nil
        return .failed(.drained(action))
    }

    /// Encrypts `plaintext` to the wire's output.
    ///
    /// - Returns: false where the session cannot send any more.
    public func send(_ plaintext: Span<UInt8>) -> Bool {
        guard isEstablished, !plaintext.isEmpty else { return isEstablished }
        ERR_clear_error()
        let written = unsafe plaintext.withUnsafeBytes { bytes in
            // Without partial-write mode OpenSSL takes all or nothing; the driver's queues stay far below 2 GiB.
            unsafe SSL_write(ssl, bytes.baseAddress, CInt(bytes.count))
        }
        return written == CInt(plaintext.count)
    }

    /// Says that no more will be sent (close_notify).
    public func close() {
        guard isEstablished else { return }
        ERR_clear_error()
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    // MARK: Callbacks

    static func owning(_ ssl: OpaquePointer) -> TLSSession? {
        guard let data = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
    }

    static func verifying(_ path: OpaquePointer) -> TLSSession? {
        guard let ssl = unsafe X509_STORE_CTX_get_ex_data(path, SSL_get_ex_data_X509_STORE_CTX_idx()) else {
            return nil
        }
        return unsafe owning(OpaquePointer(ssl))
    }

    /// Judges a client's certificate in a full handshake.
    func verifyPeer(_ path: OpaquePointer) -> Bool {
        guard let policy = context.clientPolicy else { return false }
        return unsafe judge(path) { (leaf, others) throws(CertificateRefusal) in
            judgedCertificate = unsafe try CertificateVerifier.verify(leaf, others, policy: policy, now: now)
        }
    }

    /// Judges a server's certificate.
    func verifyServer(_ path: OpaquePointer) -> Bool {
        guard let anchors = context.anchors, let expectation else { return false }
        return unsafe judge(path) { (leaf, others) throws(CertificateRefusal) in
            judgedServer = unsafe try ServerVerifier(anchors: anchors, expectation: expectation)
                .verify(leaf, others, now: now)
        }
    }

    /// Runs `verify` with leaf and path of a handshake; its refusal becomes the session's and an alert.
    private func judge(
        _ path: OpaquePointer, _ verify: (OpaquePointer, OpaquePointer?) throws(CertificateRefusal) -> Void
    ) -> Bool {
        defer { ERR_clear_error() }
        do throws(CertificateRefusal) {
            guard let leaf = unsafe X509_STORE_CTX_get0_cert(path) else {
                throw CertificateRefusal("certificate.malformed")
            }
            unsafe try verify(leaf, X509_STORE_CTX_get0_untrusted(path))
            unsafe X509_STORE_CTX_set_error(path, X509_V_OK)
            return true
        } catch {
            refusal = error
            unsafe X509_STORE_CTX_set_error(path, error.alertCode)
            return false
        }
    }
}
