internal import COpenSSL
public import Cryptography

/// A client's certificate whose path was validated against the anchors of one trust domain.
///
/// Only the verifier in this file makes one, so holding one is the evidence.
public struct AuthenticatedCertificate: Sendable {
    /// What the certificate says.
    public let facts: CertificateFacts
    /// The trust domain whose anchors vouched for it.
    public let trustDomain: String

    fileprivate init(facts: CertificateFacts, trustDomain: String) {
        self.facts = facts
        self.trustDomain = trustDomain
    }
}

/// Validates a client's certificate path (RFC 5280 §6) with the anchors that the policy names.
enum CertificateVerifier {
    /// The security level that keys and signatures of a path must reach: 112 bits, no SHA-1 (OpenSSL level 2).
    private static let securityLevel: CInt = 2

    /// - Parameters:
    ///   - context: OpenSSL's store context of the handshake: leaf and the certificates that the client sent.
    ///   - policy: names the anchors.
    ///   - now: seconds since the epoch, compared with the path's validity.
    static func verify(
        _ context: OpaquePointer, policy: any ClientCertificatePolicy, now: Int64
    ) -> Result<AuthenticatedCertificate, CertificateRefusal> {
        guard let leaf = unsafe X509_STORE_CTX_get0_cert(context),
            let facts = try? unsafe Certificate.facts(ofUnsafeHandle: leaf)
        else { return unsafe refuse(context, X509_V_ERR_CERT_REJECTED, "certificate.malformed") }
        let anchors: TrustAnchors
        do { anchors = try policy.anchors(for: facts) } catch {
            return unsafe refuse(context, X509_V_ERR_CERT_REJECTED, error.reason)
        }
        guard let path = unsafe X509_STORE_CTX_new() else {
            return unsafe refuse(context, X509_V_ERR_OUT_OF_MEM, "certificate.memory")
        }
        defer { unsafe X509_STORE_CTX_free(path) }
        let others = unsafe X509_STORE_CTX_get0_untrusted(context)
        guard unsafe X509_STORE_CTX_init(path, anchors.store, leaf, others) == 1,
            unsafe X509_STORE_CTX_set_default(path, "ssl_client") == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(path)
        else { return unsafe refuse(context, X509_V_ERR_UNSPECIFIED, "certificate.internal") }
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, securityLevel)
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(now))
        // Any certificate of the bundle is an anchor, as SPIFFE bundles mean it, not only self-signed ones.
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        guard unsafe X509_verify_cert(path) == 1 else {
            let code = unsafe X509_STORE_CTX_get_error(path)
            return unsafe refuse(context, code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code, reason(of: code))
        }
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        return .success(AuthenticatedCertificate(facts: facts, trustDomain: anchors.trustDomain))
    }

    private static func refuse(
        _ context: OpaquePointer, _ code: CInt, _ reason: String
    ) -> Result<AuthenticatedCertificate, CertificateRefusal> {
        unsafe X509_STORE_CTX_set_error(context, code)
        ERR_clear_error()
        return .failure(CertificateRefusal(reason))
    }

    private static func reason(of code: CInt) -> String {
        switch code {
        case X509_V_ERR_CERT_HAS_EXPIRED: "certificate.expired"
        case X509_V_ERR_CERT_NOT_YET_VALID: "certificate.not-yet-valid"
        case X509_V_ERR_CERT_REVOKED: "certificate.revoked"
        case X509_V_ERR_INVALID_PURPOSE: "certificate.purpose"
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
            "certificate.untrusted"
        case X509_V_ERR_CERT_SIGNATURE_FAILURE: "certificate.signature"
        default: "certificate.path"
        }
    }
}
