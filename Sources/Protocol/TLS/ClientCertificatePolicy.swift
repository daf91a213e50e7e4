public import Cryptography

/// Why a client's certificate is refused in the handshake; the text is stable and goes to the audit record.
public struct CertificateRefusal: Error, Equatable, Sendable {
    /// Such as `certificate.untrusted` or `svid.no-uri`.
    public let reason: String

    /// Makes a refusal.
    public init(_ reason: String) {
        self.reason = reason
    }
}

/// The judgement of a higher floor: which anchors may vouch for a client's certificate.
///
/// It is asked once a handshake, after the client has proven possession of the certificate's key or while it is about to:
/// OpenSSL completes no handshake without that proof.
public protocol ClientCertificatePolicy: AnyObject, Sendable {
    /// Names the anchors that alone may vouch for `leaf`; throws where it must be refused whatever its path.
    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors
}
