import Bytes
import COpenSSL
import CShims

/// Tickets: what is sealed into them, and when one is taken.
extension TLSContext {
    /// Lets sessions be resumed with tickets that were made within `scope`.
    ///
    /// - Parameters:
    ///   - handle: the SSL_CTX of one certificate.
    ///   - scope: OpenSSL compares it with the ticket's, and takes another one for none.
    ///   - lifetime: since the full handshake.
    func allowResumption(
        _ handle: OpaquePointer, within scope: Digest256, for lifetime: Interval
    ) throws(TLSError) {
        let identifier = scope.bytes
        let accepted = unsafe identifier.span.withUnsafeBufferPointer { bytes in
            unsafe SSL_CTX_set_session_id_context(handle, bytes.baseAddress, UInt32(bytes.count)) == 1
        }
        guard accepted else { throw .drained("SSL_CTX_set_session_id_context") }
        unsafe sp_tls_allow_tickets(handle)
        unsafe SSL_CTX_set_num_tickets(handle, 1)
        unsafe SSL_CTX_set_timeout(handle, Int(lifetime.seconds))
        unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(handle) { ssl, name, vector, cipher, code, seals in
            guard let ssl = unsafe ssl, let session = unsafe TLSSession.owning(ssl),
                let keys = session.context.ticketKeys,
                let algorithm = session.context.ticketCipher, let name = unsafe name, let vector = unsafe vector,
                let cipher = unsafe cipher, let code = unsafe code
            else { return seals == 1 ? -1 : 0 }
            if seals == 1 {
                return unsafe algorithm.seal(under: keys.current, name, vector, cipher, code)
            }
            return unsafe algorithm.open(with: keys, name, vector, cipher, code)
        }
        unsafe SSL_CTX_set_session_ticket_cb(
            handle,
            { ssl, _ in
                guard let ssl = unsafe ssl, let session = unsafe TLSSession.owning(ssl) else { return 0 }
                return session.fillTicket() ? 1 : 0
            },
            { ssl, ticket, _, _, status, _ in
                guard let ssl = unsafe ssl, let ticket = unsafe ticket, let session = unsafe TLSSession.owning(ssl),
                    status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
                else { return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE_RENEW) }
                guard unsafe session.judgeTicket(ticket) else {
                    return SSL_TICKET_RETURN(SSL_TICKET_RETURN_IGNORE_RENEW)
                }
                // In TLS 1.3 a ticket is for one connection (RFC 8446 §C.4), so the client gets the next; in TLS 1.2 it is
                // used again until its key is the older one. A ticket costs the parsing of a certificate.
                let isRenewed = unsafe status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) >= TLS1_3_VERSION
                return SSL_TICKET_RETURN(isRenewed ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE)
            }, nil)
    }
}
