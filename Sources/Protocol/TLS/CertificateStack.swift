import COpenSSL
import Cryptography

/// Certificates in the order and shape in which OpenSSL takes those of a path.
@safe
final class CertificateStack {
    /// A `STACK_OF(X509)`; it holds a reference on each, freed in deinit.
    let handle: OpaquePointer?

    /// Makes an empty stack.
    init() {
        unsafe handle = OPENSSL_sk_new_null()
    }

    deinit {
        while let certificate = unsafe OPENSSL_sk_pop(handle) { unsafe X509_free(OpaquePointer(certificate)) }
        unsafe OPENSSL_sk_free(handle)
    }

    /// Puts a certificate behind the others.
    func push(_ certificate: Certificate) throws(CertificateRefusal) {
        let pushed = unsafe certificate.withUnsafeHandle { certificate in
            guard unsafe OPENSSL_sk_push(handle, UnsafeRawPointer(certificate)) > 0 else { return false }
            unsafe X509_up_ref(certificate)
            return true
        }
        guard pushed else { throw CertificateRefusal("certificate.memory") }
    }

    /// Puts a certificate behind the others.
    func push(der: [UInt8]) throws(CertificateRefusal) {
        let certificate: Certificate
        do { certificate = try Certificate(der: der.span) } catch { throw CertificateRefusal("certificate.malformed") }
        try push(certificate)
    }
}
