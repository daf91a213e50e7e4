internal import COpenSSL
public import Cryptography

/// The certificates that may vouch for clients of one trust domain, ready for path validation (RFC 5280 §6).
///
/// Nothing but these anchors is trusted: no system store, no other domain's bundle.
@safe
public final class TrustAnchors: Sendable {
    /// The trust domain, or under `identity: any` the label of the bundle.
    public let trustDomain: String

    /// The bundle, as facts to be had without reading a certificate again.
    let certificates: [Certificate]
    /// An X509_STORE that is filled here and only read afterwards; OpenSSL locks its inside, so threads may share it.
    nonisolated(unsafe) let store: OpaquePointer

    /// Makes anchors of a bundle, which must not be empty.
    public init(trustDomain: String, certificates: [Certificate]) throws(TLSError) {
        guard !certificates.isEmpty else { throw TLSError("the bundle of \(trustDomain) is empty") }
        guard let store = unsafe X509_STORE_new() else { throw .drained("X509_STORE_new") }
        unsafe self.store = store
        self.trustDomain = trustDomain
        self.certificates = certificates
        for certificate in certificates {
            let added = unsafe certificate.withUnsafeHandle { unsafe X509_STORE_add_cert(store, $0) }
            // A self-freeing owner exists already (`self` is whole), so throwing here leaks nothing.
            guard added == 1 else { throw .drained("X509_STORE_add_cert") }
        }
    }

    deinit {
        unsafe X509_STORE_free(store)
    }
}
