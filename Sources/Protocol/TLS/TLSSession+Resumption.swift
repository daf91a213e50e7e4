public import Bytes
import COpenSSL
import Cryptography

/// What a session puts into tickets, and how it judges one.
extension TLSSession {
    /// How many tickets of one handshake are judged: a client may offer many, and each costs a path validation.
    private static let maximumJudgements = 4

    /// Puts into the ticket what its judgement will need.
    func fillTicket() -> Bool {
        guard let session = unsafe SSL_get_session(ssl), let lifetime = context.resumptionLifetime else { return false }
        // Without the extended master secret (RFC 7627) a session of TLS 1.2 says nothing of who resumes it: such a ticket
        // stays empty, and is taken by nobody.
        let isBound = unsafe offersExtendedMasterSecret || SSL_version(ssl) >= TLS1_3_VERSION
        guard isBound else { return unsafe SSL_SESSION_set1_ticket_appdata(session, nil, 0) == 1 }
        // Where the session is resumed the key was proven then, not now.
        let origin = unsafe SSL_session_reused(ssl) == 1 ? resumed : nil
        let contents =
            origin?.contents
            ?? TicketContents(
                authenticatedAt: now, serverName: serverName, chain: unsafe Self.chain(SSL_get_peer_cert_chain(ssl)))
        let certificate = origin == nil ? judgedCertificate : origin?.certificate
        let end = min(contents.authenticatedAt + lifetime, certificate?.facts.notAfter ?? UnixTime(nanoseconds: .max))
        // What the client is told, so that it offers no ticket in vain.
        unsafe SSL_SESSION_set_timeout(session, Int(max(0, (end - now).seconds)))
        let encoded = contents.encoded
        return unsafe encoded.withUnsafeBytes { bytes in
            unsafe SSL_SESSION_set1_ticket_appdata(session, bytes.baseAddress, bytes.count) == 1
        }
    }

    /// The certificates behind the leaf, in DER.
    private static func chain(_ stack: OpaquePointer?) -> [[UInt8]] {
        var chain: [[UInt8]] = []
        for index in unsafe 0..<max(0, OPENSSL_sk_num(stack)) {
            var start: UnsafeMutablePointer<UInt8>?
            let count = unsafe i2d_X509(OpaquePointer(OPENSSL_sk_value(stack, index)), &start)
            guard count > 0, let start = unsafe start else { continue }
            defer { unsafe CRYPTO_free(start, nil, 0) }
            chain.append(unsafe Array(UnsafeBufferPointer(start: start, count: Int(count))))
        }
        return chain
    }

    /// Whether the session in a ticket may be resumed now: judged as its first handshake was, by the present rules.
    ///
    /// OpenSSL has opened the ticket, and will compare its scope. Where this says no, the client proves itself anew in a
    /// full handshake.
    func judgeTicket(_ ticket: OpaquePointer) -> Bool {
        resumed = nil
        judgements += 1
        defer { ERR_clear_error() }
        guard judgements <= Self.maximumJudgements, let contents = unsafe Self.contents(of: ticket),
            let lifetime = context.resumptionLifetime, contents.isFor(serverName),
            // A clock that went back says nothing of how old the ticket is.
            contents.authenticatedAt <= now, now < contents.authenticatedAt + lifetime
        else { return false }
        guard let leaf = unsafe SSL_SESSION_get0_peer(ticket) else {
            resumed = ResumedSession(contents: contents, certificate: nil)
            return context.demand == .optional
        }
        guard let policy = context.clientPolicy else { return false }
        do throws(CertificateRefusal) {
            let others = CertificateStack()
            for other in contents.chain { try others.push(der: other) }
            let certificate = unsafe try CertificateVerifier.verify(leaf, others.handle, policy: policy, now: now)
            resumed = ResumedSession(contents: contents, certificate: certificate)
            return true
        } catch {
            return false
        }
    }

    private static func contents(of ticket: OpaquePointer) -> TicketContents? {
        var data: UnsafeMutableRawPointer?
        var count = 0
        guard unsafe SSL_SESSION_get0_ticket_appdata(ticket, &data, &count) == 1, let data = unsafe data else {
            return nil
        }
        let bytes = unsafe Span(_unsafeStart: UnsafePointer(data.assumingMemoryBound(to: UInt8.self)), count: count)
        return TicketContents(bytes)
    }

    /// Judges the client's certificate once more, by other rules than those of its handshake: after a reload, of a connection
    /// that lives on.
    ///
    /// - Returns: the certificate that was proven in the handshake, or nothing where there was none.
    public func judgePeer(
        by policy: any ClientCertificatePolicy, now: UnixTime
    ) throws(CertificateRefusal) -> AuthenticatedCertificate? {
        guard peerCertificate != nil, let leaf = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        let others = CertificateStack()
        let chain = unsafe resumed?.contents.chain ?? Self.chain(SSL_get_peer_cert_chain(ssl))
        for other in chain { try others.push(der: other) }
        return unsafe try CertificateVerifier.verify(leaf, others.handle, policy: policy, now: now)
    }

    /// Decides, at the end of the handshake, whose the connection is.
    ///
    /// A ticket may have been judged well and still not been taken, so what was judged counts only if the session *is*
    /// resumed, and only for the certificate that OpenSSL resumed it with.
    ///
    /// - Returns: false where nobody can be named though somebody must be.
    func settlePeer() -> Bool {
        if unsafe SSL_session_reused(ssl) == 1 {
            guard let resumed else { return false }
            judgedCertificate = resumed.certificate
        } else {
            resumed = nil
        }
        guard let leaf = unsafe SSL_get0_peer_certificate(ssl) else {
            return judgedCertificate == nil && context.demand == .optional
        }
        guard let judged = judgedCertificate else { return false }
        var digest = [UInt8](repeating: 0, count: Digest256.byteCount)
        var count: UInt32 = 0
        let isHashed = unsafe X509_digest(leaf, EVP_sha256(), &digest, &count) == 1
        return isHashed && Digest256(digest.span) == judged.facts.fingerprint
    }
}

/// A session whose ticket was judged well.
struct ResumedSession {
    let contents: TicketContents
    /// Nothing: the client has not shown one, and need not.
    let certificate: AuthenticatedCertificate?
}
