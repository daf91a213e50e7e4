public import Bytes
internal import COpenSSL
public import Cryptography

/// A client's certificate whose path was validated against the anchors of one trust domain.
///
/// Only the verifier in this file makes one, so holding one is the evidence: in whatever serves, a ``TLSSession`` has it
/// only after the handshake in which the client proved to hold the certificate's key.
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
        let others = unsafe X509_STORE_CTX_get0_untrusted(context)
        let code = unsafe validate(leaf, others, anchors, now: now)
        guard code == X509_V_OK else { return unsafe refuse(context, code, reason(of: code)) }
        unsafe X509_STORE_CTX_set_error(context, X509_V_OK)
        return .success(AuthenticatedCertificate(facts: facts, trustDomain: anchors.trustDomain))
    }

    /// The one path validation, whoever asks for it.
    ///
    /// - Parameters:
    ///   - leaf: an `X509`, which stays the caller's.
    ///   - others: a stack of the certificates that may lie between it and an anchor, or nil; it stays the caller's too.
    ///   - anchors: what alone is trusted.
    ///   - now: seconds since the epoch.
    /// - Returns: `X509_V_OK`, or why not.
    private static func validate(
        _ leaf: OpaquePointer, _ others: OpaquePointer?, _ anchors: TrustAnchors, now: Int64
    ) -> CInt {
        guard let path = unsafe X509_STORE_CTX_new() else { return X509_V_ERR_OUT_OF_MEM }
        defer { unsafe X509_STORE_CTX_free(path) }
        guard unsafe X509_STORE_CTX_init(path, anchors.store, leaf, others) == 1,
            unsafe X509_STORE_CTX_set_default(path, "ssl_client") == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(path)
        else { return X509_V_ERR_UNSPECIFIED }
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, securityLevel)
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(now))
        // Any certificate of the bundle is an anchor, as SPIFFE bundles mean it, not only self-signed ones.
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        guard unsafe X509_verify_cert(path) != 1 else { return X509_V_OK }
        let code = unsafe X509_STORE_CTX_get_error(path)
        return code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code
    }

    /// Validates a chain that was captured: by the anchors and rules of a handshake, without one.
    fileprivate static func verify(
        captured chain: [Certificate], policy: any ClientCertificatePolicy, now: Int64
    ) throws(CertificateRefusal) -> AuthenticatedCertificate {
        guard let leaf = chain.first else { throw CertificateRefusal("certificate.malformed") }
        let anchors = try policy.anchors(for: leaf.facts)
        guard let others = unsafe OPENSSL_sk_new_null() else { throw CertificateRefusal("certificate.memory") }
        // The stack owns nothing: `chain` keeps its certificates alive until the validation is over.
        defer { unsafe OPENSSL_sk_free(others) }
        for other in chain.dropFirst() {
            let count = unsafe other.withUnsafeHandle { unsafe OPENSSL_sk_push(others, UnsafeRawPointer($0)) }
            guard count > 0 else { throw CertificateRefusal("certificate.memory") }
        }
        let code = unsafe leaf.withUnsafeHandle { unsafe validate($0, others, anchors, now: now) }
        extendLifetime(chain)
        ERR_clear_error()
        guard code == X509_V_OK else { throw CertificateRefusal(reason(of: code)) }
        return AuthenticatedCertificate(facts: leaf.facts, trustDomain: anchors.trustDomain)
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
        case X509_V_ERR_OUT_OF_MEM: "certificate.memory"
        case X509_V_ERR_UNSPECIFIED: "certificate.internal"
        default: "certificate.path"
        }
    }
}

extension AuthenticatedCertificate {
    /// Takes a captured certificate for one whose holder has shown up: for explaining a decision, never for making one.
    ///
    /// It validates the path as a handshake does (same anchors, purpose, flags, depth, security level and time), so what it
    /// says of the certificate is true. It does **not** know that anybody holds the key, which is the other half of what
    /// an ``AuthenticatedCertificate`` is evidence of. It may mint one all the same because nothing can come of it but text:
    /// the function is visible only to `@_spi(Explanation) import TLS`, which in anything that serves does not compile
    /// without that word, and a test of the house allows the word in the explanation's own files alone.
    ///
    /// - Parameters:
    ///   - chain: leaf first, then what the client would have sent with it.
    ///   - policy: names the anchors.
    ///   - now: compared with the validity of the path.
    @_spi(Explanation)
    public static func assumingPossession(
        of chain: [Certificate], policy: any ClientCertificatePolicy, now: UnixTime
    ) throws(CertificateRefusal) -> AuthenticatedCertificate {
        try CertificateVerifier.verify(captured: chain, policy: policy, now: now.seconds)
    }
}
