public import Bytes
internal import COpenSSL
public import Cryptography

/// Why a certificate is refused in the handshake; the text is stable and goes to the audit record.
public struct CertificateRefusal: Error, Equatable, Sendable {
    /// Such as `certificate.untrusted` or `svid.no-uri`.
    public let reason: String

    /// Makes a refusal.
    public init(_ reason: String) {
        self.reason = reason
    }

    /// What tells OpenSSL which alert to send (RFC 8446 §6.2).
    var alertCode: CInt {
        switch reason {
        case "certificate.expired": X509_V_ERR_CERT_HAS_EXPIRED
        case "certificate.revoked", "revocation.agent", "revocation.certificate", "revocation.chain",
            "revocation.everything", "revocation.key":
            X509_V_ERR_CERT_REVOKED
        case "certificate.untrusted": X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT
        case "certificate.internal", "certificate.memory": X509_V_ERR_OUT_OF_MEM
        default: X509_V_ERR_CERT_REJECTED
        }
    }
}

/// The judgement of a higher floor: which anchors may vouch for a client's certificate.
///
/// It is asked once a handshake, after the client has proven possession of the certificate's key or while it is about to:
/// OpenSSL completes no handshake without that proof. A resumed session is judged again, by the certificate that its first
/// handshake proved.
public protocol ClientCertificatePolicy: AnyObject, Sendable {
    /// Names the anchors that alone may vouch for `leaf`; throws where it must be refused whatever its path.
    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors

    /// Throws where a certificate with a valid path must be refused all the same, because it was revoked for instance.
    func admit(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal)

    /// Adds all that the judgement rests on, and that a reload may change, to what a ticket is bound to.
    func contribute(to scope: inout TLSScope)
}

extension ClientCertificatePolicy {
    /// Refuses nothing more.
    public func admit(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal) {}
}
