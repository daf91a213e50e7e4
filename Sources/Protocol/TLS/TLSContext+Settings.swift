import COpenSSL
import CShims
import Cryptography

/// The settings that both sides share: what is spoken at all.
extension TLSContext {
    /// Suites of TLS 1.2: AEAD and forward secrecy only.
    ///
    /// TLS 1.3 has no others.
    private static let suites = "ECDHE+AESGCM:ECDHE+CHACHA20"
    /// Groups, best first; the first list that the library at hand knows all of is taken.
    ///
    /// X25519 before P-256: OpenSSL 3.0 checks a peer's P-256 point slowly. The hybrid came with OpenSSL 3.5.
    private static let groups = ["X25519MLKEM768:X25519:P-256:P-384", "X25519:P-256:P-384"]

    static func makeHandle(
        method: OpaquePointer?, minimumVersion: TLSVersion
    ) throws(TLSError) -> OpaquePointer {
        guard let handle = unsafe SSL_CTX_new(method) else { throw .drained("SSL_CTX_new") }
        let lowest = minimumVersion == .v13 ? TLS1_3_VERSION : TLS1_2_VERSION
        unsafe sp_tls_restrict(handle)
        unsafe SSL_CTX_set_security_level(handle, 2)
        unsafe SSL_CTX_set_num_tickets(handle, 0)
        unsafe SSL_CTX_set_max_early_data(handle, 0)
        unsafe sp_tls_set_read_ahead(handle)
        unsafe sp_tls_set_mode(handle, Int(SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN))
        guard unsafe sp_tls_set_versions(handle, lowest, TLS1_3_VERSION) == 1,
            unsafe SSL_CTX_set_cipher_list(handle, suites) == 1, unsafe setGroups(handle)
        else {
            unsafe SSL_CTX_free(handle)
            throw .drained("TLS settings")
        }
        return unsafe handle
    }

    static func use(_ certificate: ServerCertificate, in handle: OpaquePointer) throws(TLSError) {
        guard let leaf = certificate.chain.first else { throw TLSError("a certificate chain is empty") }
        guard unsafe leaf.withUnsafeHandle({ unsafe SSL_CTX_use_certificate(handle, $0) }) == 1 else {
            throw .drained("SSL_CTX_use_certificate")
        }
        for other in certificate.chain.dropFirst() {
            guard unsafe other.withUnsafeHandle({ unsafe sp_tls_add_chain_certificate(handle, $0) }) == 1 else {
                throw .drained("SSL_CTX_add1_chain_cert")
            }
        }
        guard unsafe certificate.key.withUnsafeHandle({ unsafe SSL_CTX_use_PrivateKey(handle, $0) }) == 1,
            unsafe SSL_CTX_check_private_key(handle) == 1
        else { throw .drained("SSL_CTX_use_PrivateKey") }
    }

    private static func setGroups(_ handle: OpaquePointer) -> Bool {
        for list in groups where unsafe sp_tls_set_groups(handle, list) == 1 { return true }
        return false
    }
}
