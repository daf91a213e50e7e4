internal import COpenSSL
public import Cryptography

/// A certificate chain, leaf first, and the key of its leaf.
public struct ServerCertificate: Sendable {
    /// The leaf and the certificates that lead to a root, in that order.
    public let chain: [Certificate]
    /// The leaf's private key.
    public let key: PrivateKey
    /// What is stapled to it where a client asks for its status, if anything.
    public var staple: OCSPStaple?

    /// Pairs a chain with the key of its leaf.
    public init(chain: [Certificate], key: PrivateKey) {
        self.chain = chain
        self.key = key
    }

    /// Whether the leaf names that host (RFC 9525: subject alternative names only).
    public func covers(host: String) -> Bool {
        guard let leaf = chain.first else { return false }
        return unsafe leaf.withUnsafeHandle { handle in
            let asAddress = unsafe X509_check_ip_asc(handle, host, 0) == 1
            let flags = UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)
            let asName = unsafe X509_check_host(handle, host, 0, flags, nil) == 1
            return asAddress || asName
        }
    }
}
