internal import COpenSSL

/// The one validation of certificate paths (RFC 5280 §6), whoever asks for it.
///
/// Clients, servers, resumed sessions and explanations all go through here, so none is judged more mildly than another.
@safe
struct PathValidation {
    /// The security level that keys and signatures of a path must reach: 112 bits, no SHA-1 (OpenSSL level 2).
    private static let securityLevel: CInt = 2

    /// What the leaf wants to be.
    enum Role: String {
        /// It authenticates a client (extended key usage, where there is one, allows it).
        case client = "ssl_client"
        /// It authenticates a server.
        case server = "ssl_server"
    }

    let anchors: TrustAnchors
    let role: Role
    /// A name that the leaf must bear: a DNS name or an IP address, among its alternative names (RFC 9525).
    var host: String?

    /// Validates the path from `leaf` to an anchor; `found` is called with it where it is valid.
    ///
    /// - Parameters:
    ///   - leaf: an `X509`, which stays the caller's.
    ///   - others: a stack of the certificates that may lie between it and an anchor, or nil; it stays the caller's too.
    ///   - now: seconds since the epoch.
    ///   - found: takes a stack of the path, leaf first, which is no longer there after the call.
    /// - Returns: `X509_V_OK`, or why not.
    func validate(
        _ leaf: OpaquePointer, _ others: OpaquePointer?, now: Int64, found: (OpaquePointer?) -> Void = { _ in }
    ) -> CInt {
        ERR_clear_error()
        defer { ERR_clear_error() }
        guard let path = unsafe X509_STORE_CTX_new() else { return X509_V_ERR_OUT_OF_MEM }
        defer { unsafe X509_STORE_CTX_free(path) }
        guard unsafe X509_STORE_CTX_init(path, anchors.store, leaf, others) == 1,
            unsafe X509_STORE_CTX_set_default(path, role.rawValue) == 1,
            let parameters = unsafe X509_STORE_CTX_get0_param(path), unsafe demandHost(parameters)
        else { return X509_V_ERR_UNSPECIFIED }
        unsafe X509_VERIFY_PARAM_set_auth_level(parameters, Self.securityLevel)
        unsafe X509_VERIFY_PARAM_set_time(parameters, Int(now))
        // Any certificate of the bundle is an anchor, as SPIFFE bundles mean it, not only self-signed ones.
        unsafe X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        if unsafe X509_verify_cert(path) == 1 {
            unsafe found(X509_STORE_CTX_get0_chain(path))
            return X509_V_OK
        }
        let code = unsafe X509_STORE_CTX_get_error(path)
        return code == X509_V_OK ? X509_V_ERR_UNSPECIFIED : code
    }

    private func demandHost(_ parameters: OpaquePointer) -> Bool {
        guard let host else { return true }
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 { return true }
        // An empty name would switch the check off.
        return unsafe !host.isEmpty && X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
    }

    /// A stable word for records, such as `certificate.expired`.
    static func reason(of code: CInt) -> String {
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
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH: "certificate.name"
        case X509_V_ERR_OUT_OF_MEM: "certificate.memory"
        case X509_V_ERR_UNSPECIFIED: "certificate.internal"
        default: "certificate.path"
        }
    }
}
