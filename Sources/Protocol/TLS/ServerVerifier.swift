import Bytes
import COpenSSL
import Cryptography

/// Validates a server's certificate path and compares the certificate with what is expected.
struct ServerVerifier {
    let anchors: TrustAnchors
    let expectation: ServerIdentity

    /// - Parameters:
    ///   - leaf: the server's `X509`, which stays the caller's.
    ///   - others: a stack of the certificates that came with it, or nil; it stays the caller's too.
    ///   - now: compared with the path's validity.
    func verify(
        _ leaf: OpaquePointer, _ others: OpaquePointer?, now: UnixTime
    ) throws(CertificateRefusal) -> CertificateFacts {
        let facts: CertificateFacts
        do { facts = try unsafe Certificate.facts(ofUnsafeHandle: leaf) } catch {
            throw CertificateRefusal("certificate.malformed")
        }
        var path = PathValidation(anchors: anchors, role: .server)
        if case .host(let host) = expectation { path.host = host }
        let code = unsafe path.validate(leaf, others, now: now.seconds)
        guard code == X509_V_OK else { throw CertificateRefusal(PathValidation.reason(of: code)) }
        if case .judged(let policy) = expectation { try policy.admit(facts) }
        return facts
    }
}
