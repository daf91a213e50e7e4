import Bytes
import COpenSSL
import Cryptography
import TLS
import Testing

/// A client that is OpenSSL's own, over memory: it keeps the tickets that it is given, and offers them again.
@safe
final class TrialClient {
    /// A session with its ticket, as a client keeps it.
    @safe
    final class Ticket {
        fileprivate let session: OpaquePointer

        fileprivate init(owning session: OpaquePointer) {
            unsafe self.session = session
        }

        deinit {
            unsafe SSL_SESSION_free(session)
        }

        /// The same session with one byte of its ticket changed: in its encoding the ticket stands as it came.
        func changed(at offset: Int) -> Ticket? {
            var start: UnsafePointer<UInt8>?
            var count = 0
            unsafe SSL_SESSION_get0_ticket(session, &start, &count)
            guard offset < count, let start = unsafe start else { return nil }
            let ticket = unsafe Array(UnsafeBufferPointer(start: start, count: count))
            var encoded = [UInt8](repeating: 0, count: unsafe Int(i2d_SSL_SESSION(session, nil)))
            let isWritten = unsafe encoded.withUnsafeMutableBufferPointer { buffer in
                var next = buffer.baseAddress
                return unsafe i2d_SSL_SESSION(session, &next) > 0
            }
            guard isWritten, let place = encoded.firstRange(of: ticket) else { return nil }
            encoded[place.lowerBound + offset] ^= 1
            return unsafe encoded.withUnsafeBufferPointer { buffer in
                var next = buffer.baseAddress
                return unsafe d2i_SSL_SESSION(nil, &next, buffer.count).map { unsafe Ticket(owning: $0) }
            }
        }

        /// How long the server says that the ticket lives, in seconds.
        var lifetimeHint: Int { unsafe Int(SSL_SESSION_get_ticket_lifetime_hint(session)) }
    }

    /// How the client goes about it.
    struct Settings {
        var version = TLS1_3_VERSION
        /// Suites below TLS 1.3, or nothing: the library's.
        var suites: String?
        /// Groups, the first with a key share; nothing: the library's.
        var groups: String?
        var serverName: String? = "localhost"
        var protocols: [ApplicationProtocol] = [.http11]
        var identity: ServerCertificate?
        var ticket: Ticket?
        var asksForStatus = false
        var offersExtendedMasterSecret = true
    }

    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// The tickets of this connection, in order.
    private(set) var tickets: [Ticket] = []
    private(set) var isEstablished = false
    private(set) var received: [UInt8] = []

    init(_ settings: Settings) throws {
        unsafe self.context = try #require(SSL_CTX_new(TLS_client_method()))
        unsafe self.ssl = try #require(SSL_new(context))
        unsafe self.input = try #require(BIO_new(BIO_s_mem()))
        unsafe self.output = try #require(BIO_new(BIO_s_mem()))
        unsafe SSL_set_bio(ssl, input, output)
        unsafe SSL_set_connect_state(ssl)
        // Macros of OpenSSL by what they are made of.
        unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(settings.version), nil)
        unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(settings.version), nil)
        let cache = Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
        unsafe SSL_CTX_ctrl(context, SSL_CTRL_SET_SESS_CACHE_MODE, cache, nil)
        if let name = settings.serverName {
            unsafe name.withCString { name in
                _ = unsafe SSL_ctrl(
                    ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                    UnsafeMutableRawPointer(mutating: name))
            }
        }
        if let suites = settings.suites { try #require(unsafe SSL_set_cipher_list(ssl, suites) == 1) }
        if let groups = settings.groups {
            let done = unsafe groups.withCString {
                unsafe SSL_ctrl(ssl, SSL_CTRL_SET_GROUPS_LIST, 0, UnsafeMutableRawPointer(mutating: $0))
            }
            try #require(done == 1)
        }
        if settings.asksForStatus {
            unsafe SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE, Int(TLSEXT_STATUSTYPE_ocsp), nil)
        }
        if !settings.offersExtendedMasterSecret {
            unsafe SSL_set_options(ssl, UInt64(1))
        }
        var list: [UInt8] = []
        for name in settings.protocols {
            list.append(UInt8(name.rawValue.utf8.count))
            list += Array(name.rawValue.utf8)
        }
        if !list.isEmpty { unsafe SSL_set_alpn_protos(ssl, list, UInt32(list.count)) }
        try use(settings.identity)
        if let ticket = settings.ticket { unsafe SSL_set_session(ssl, ticket.session) }
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
            guard let data = unsafe SSL_get_ex_data(ssl, 0), let session = unsafe session else { return 0 }
            let client = unsafe Unmanaged<TrialClient>.fromOpaque(data).takeUnretainedValue()
            unsafe client.tickets.append(Ticket(owning: session))
            return 1
        }
    }

    deinit {
        // A session whose connection was cut is one that OpenSSL would not offer again.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    private func use(_ identity: ServerCertificate?) throws {
        guard let identity else { return }
        for (index, certificate) in identity.chain.enumerated() {
            let done = unsafe certificate.withUnsafeHandle { certificate in
                index == 0
                    ? unsafe Int(SSL_use_certificate(ssl, certificate))
                    : unsafe SSL_ctrl(ssl, SSL_CTRL_CHAIN_CERT, 1, UnsafeMutableRawPointer(certificate))
            }
            try #require(done == 1)
        }
        try #require(unsafe identity.key.withUnsafeHandle { unsafe SSL_use_PrivateKey(ssl, $0) } == 1)
    }

    /// Whether the server took the ticket.
    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// What was stapled to the server's certificate.
    var staple: [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe withUnsafeMutablePointer(to: &start) {
            unsafe SSL_ctrl(ssl, SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP, 0, UnsafeMutableRawPointer($0))
        }
        guard count > 0, let start = unsafe start else { return [] }
        return unsafe Array(UnsafeBufferPointer(start: start, count: count))
    }

    /// The server's certificate.
    var serverFingerprint: Digest256? {
        guard let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe try? Certificate.facts(ofUnsafeHandle: certificate).fingerprint
    }

    /// The name of the group of the key exchange.
    var group: String {
        let identifier = unsafe SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, nil)
        return unsafe SSL_group_to_name(ssl, CInt(identifier)).map { unsafe String(cString: $0) } ?? ""
    }

    /// The suite that was chosen.
    var suite: String {
        unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { unsafe String(cString: $0) } ?? ""
    }

    /// Speaks with `server` until neither has anything to say.
    func run(with server: TLSSession, wire: TLSWire, now: UnixTime) {
        var plaintext = ByteQueue()
        while true {
            advance()
            let said = drain()
            if !said.isEmpty { _ = server.receive(said.span, now: now, into: &plaintext) }
            let answered = wire.output.withReadable { Array(copying: $0) }
            wire.output.removeAll()
            guard !answered.isEmpty || !said.isEmpty else { return keepTicket() }
            if !answered.isEmpty { unsafe BIO_write(input, answered, CInt(answered.count)) }
        }
    }

    /// OpenSSL tells of a ticket in a resumed session in TLS 1.3 only; in TLS 1.2 the session has the old or the new one.
    private func keepTicket() {
        guard tickets.isEmpty, isResumed, unsafe SSL_version(ssl) == TLS1_2_VERSION else { return }
        if let session = unsafe SSL_get1_session(ssl) { unsafe tickets.append(Ticket(owning: session)) }
    }

    private func advance() {
        ERR_clear_error()
        if !isEstablished { isEstablished = unsafe SSL_do_handshake(ssl) == 1 }
        guard isEstablished else { return }
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(ssl, &buffer, CInt(buffer.count))
            guard count > 0 else { break }
            received += buffer[..<Int(count)]
        }
        ERR_clear_error()
    }

    private func drain() -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe BIO_read(output, &buffer, CInt(buffer.count))
            guard count > 0 else { return bytes }
            bytes += buffer[..<Int(count)]
        }
    }
}
