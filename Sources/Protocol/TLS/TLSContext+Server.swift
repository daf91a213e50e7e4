import Bytes
import COpenSSL
import CShims

/// What a server is asked in the course of a handshake.
///
/// The callbacks find their context unretained: sessions retain it for as long as their SSL lives.
extension TLSContext {
    /// The longest certificate message of a client, in bytes: a chain that long still fits into a ticket (64 KiB).
    private static let maximumCertificateList = 48 << 10

    /// Hooks the callbacks up.
    func configureServer(_ handle: OpaquePointer) {
        let this = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe sp_tls_set_max_certificate_list(handle, Self.maximumCertificateList)
        unsafe judgeClients(handle)
        if !applicationProtocols.isEmpty {
            unsafe SSL_CTX_set_alpn_select_cb(
                handle,
                { _, selected, selectedLength, offered, offeredLength, this in
                    guard let this = unsafe this else { return SSL_TLSEXT_ERR_ALERT_FATAL }
                    let context = unsafe Unmanaged<TLSContext>.fromOpaque(this).takeUnretainedValue()
                    return unsafe context.select(offered, offeredLength, selected, selectedLength)
                }, this)
        }
        unsafe SSL_CTX_set_client_hello_cb(
            handle,
            { ssl, alert, this in
                guard let ssl = unsafe ssl, let this = unsafe this else { return SSL_CLIENT_HELLO_ERROR }
                let context = unsafe Unmanaged<TLSContext>.fromOpaque(this).takeUnretainedValue()
                guard unsafe context.chooseCertificate(for: ssl) else {
                    unsafe alert?.pointee = CInt(SSL_AD_ILLEGAL_PARAMETER)
                    return SSL_CLIENT_HELLO_ERROR
                }
                return SSL_CLIENT_HELLO_SUCCESS
            }, this)
        unsafe sp_tls_set_server_name_callback(
            handle,
            { ssl, alert, _ in
                guard let ssl = unsafe ssl, unsafe TLSContext.isServerNameAgreed(ssl) else {
                    unsafe alert?.pointee = CInt(SSL_AD_UNRECOGNIZED_NAME)
                    return SSL_TLSEXT_ERR_ALERT_FATAL
                }
                return SSL_TLSEXT_ERR_OK
            }, nil)
        unsafe sp_tls_set_status_callback(handle) { ssl, _ in
            guard let ssl = unsafe ssl else { return SSL_TLSEXT_ERR_NOACK }
            return unsafe TLSContext.staple(ssl) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK
        }
        guard keyLog != nil else { return }
        unsafe SSL_CTX_set_keylog_callback(handle) { ssl, line in
            guard let ssl = unsafe ssl, let line = unsafe line, let session = unsafe TLSSession.owning(ssl) else {
                return
            }
            unsafe session.context.keyLog?(String(cString: line))
        }
    }

    private func judgeClients(_ handle: OpaquePointer) {
        let mode = SSL_VERIFY_PEER | (demand == .required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        unsafe SSL_CTX_set_verify(handle, mode, nil)
        unsafe SSL_CTX_set_cert_verify_callback(
            handle,
            { path, _ in
                guard let path = unsafe path, let session = unsafe TLSSession.verifying(path) else { return 0 }
                return unsafe session.verifyPeer(path) ? 1 : 0
            }, nil)
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

    // MARK: Server names

    /// Switches the session to the first certificate that names the host of SNI; the default stays where none does.
    ///
    /// This comes before OpenSSL looks at tickets, so that a ticket is judged by the scope of the certificate that the
    /// client is shown.
    private func chooseCertificate(for ssl: OpaquePointer) -> Bool {
        guard let session = unsafe TLSSession.owning(ssl) else { return false }
        let name = unsafe Self.serverName(inHelloOf: ssl)
        // After a HelloRetryRequest there is a second hello, which must say the same (RFC 8446 §4.1.2).
        guard !session.saidHello else { return name == session.serverName }
        session.saidHello = true
        session.serverName = name
        session.offersExtendedMasterSecret = unsafe Self.hasExtension(TLSEXT_TYPE_extended_master_secret, ssl)
        if let name, let index = certificates.firstIndex(where: { $0.covers(host: name) }) {
            session.certificateIndex = index
            if index > 0 { return unsafe SSL_set_SSL_CTX(ssl, handles[index]) != nil }
        }
        return true
    }

    /// The host of the extension (RFC 6066 §3), which OpenSSL reads again, and strictly, later.
    private static func serverName(inHelloOf ssl: OpaquePointer) -> String? {
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &start, &count) == 1,
            let start = unsafe start
        else { return nil }
        let bytes = unsafe Span(_unsafeStart: start, count: count)
        // The list's length, one entry's type (0: a host) and length, and the name.
        guard count > 5, bytes[2] == 0, Int(bytes[3]) << 8 | Int(bytes[4]) == count - 5 else { return nil }
        return String(validating: bytes.extracting(5..<count))
    }

    private static func hasExtension(_ type: CInt, _ ssl: OpaquePointer) -> Bool {
        unsafe SSL_client_hello_get0_ext(ssl, UInt32(type), nil, nil) == 1
    }

    /// Whether OpenSSL reads the same host from the hello as we did.
    private static func isServerNameAgreed(_ ssl: OpaquePointer) -> Bool {
        guard let session = unsafe TLSSession.owning(ssl) else { return false }
        guard let name = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return session.serverName == nil
        }
        guard let ours = session.serverName else { return false }
        let theirs = unsafe String(cString: name)
        return ours.utf8.elementsEqual(theirs.utf8) { $0.asciiLowercased == $1.asciiLowercased }
    }

    // MARK: Stapling

    /// Sends what the responder said of the certificate, while it is true.
    private static func staple(_ ssl: OpaquePointer) -> Bool {
        guard let session = unsafe TLSSession.owning(ssl),
            let staple = session.context.certificates[session.certificateIndex].staple,
            staple.isCurrent(at: session.now)
        else { return false }
        return unsafe staple.bytes.withUnsafeBufferPointer { bytes in
            unsafe sp_tls_staple(ssl, bytes.baseAddress, bytes.count) == 1
        }
    }
}
