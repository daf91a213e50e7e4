import Bytes
import COpenSSL

/// A context that is set up to verify with one key and one algorithm, as often as wanted.
///
/// It owns its pointer and keeps the key alive, so that no other key can take the key's place.
@safe
final class VerificationContext {
    let key: PublicKey
    let algorithm: SignatureAlgorithm
    private let context: Context

    /// What OpenSSL verifies with: a digest made before, or the message itself (which is all it offers for EdDSA).
    @safe
    private enum Context {
        case ofDigest(OpaquePointer)
        case ofMessage(OpaquePointer)
    }

    /// Sets up a context, or nothing where OpenSSL refuses; `digest` computes the algorithm's hash.
    init?(key: PublicKey, algorithm: SignatureAlgorithm, digest: MessageDigest?) {
        self.key = key
        self.algorithm = algorithm
        switch algorithm.scheme {
        case .eddsa:
            guard let context = unsafe Self.makeMessageContext(key) else { return nil }
            self.context = unsafe .ofMessage(context)
        case .ecdsa:
            guard let context = unsafe Self.makeDigestContext(key) else { return nil }
            self.context = unsafe .ofDigest(context)
        case .pss, .pkcs1:
            guard let digest, let context = unsafe Self.makeDigestContext(key) else { return nil }
            guard unsafe Self.setPadding(of: context, for: algorithm, digest) else {
                unsafe EVP_PKEY_CTX_free(context)
                return nil
            }
            self.context = unsafe .ofDigest(context)
        }
    }

    deinit {
        switch context {
        case .ofDigest(let context): unsafe EVP_PKEY_CTX_free(context)
        case .ofMessage(let context): unsafe EVP_MD_CTX_free(context)
        }
    }

    /// Whether `signature`, in OpenSSL's form, is one of `bytes`: the digest, or for EdDSA the message.
    func verifies(_ signature: Span<UInt8>, of bytes: Span<UInt8>) -> Bool {
        let status = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                switch context {
                case .ofDigest(let context):
                    unsafe EVP_PKEY_verify(
                        context, signature.baseAddress, signature.count, bytes.baseAddress, bytes.count)
                case .ofMessage(let context):
                    unsafe EVP_DigestVerify(
                        context, signature.baseAddress, signature.count, bytes.baseAddress, bytes.count)
                }
            }
        }
        return status == 1
    }

    private static func makeDigestContext(_ key: PublicKey) -> OpaquePointer? {
        guard let context = unsafe key.withHandle({ unsafe EVP_PKEY_CTX_new_from_pkey(nil, $0, nil) }) else {
            return nil
        }
        guard unsafe EVP_PKEY_verify_init(context) == 1 else {
            unsafe EVP_PKEY_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    private static func makeMessageContext(_ key: PublicKey) -> OpaquePointer? {
        guard let context = unsafe EVP_MD_CTX_new() else { return nil }
        let status = unsafe key.withHandle { unsafe EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, $0, nil) }
        guard status == 1 else {
            unsafe EVP_MD_CTX_free(context)
            return nil
        }
        return unsafe context
    }

    /// RFC 7518 §3.5: the hash of MGF1 is that of the message, and the salt is as long as the digest.
    private static func setPadding(
        of context: OpaquePointer, for algorithm: SignatureAlgorithm, _ digest: MessageDigest
    ) -> Bool {
        var isPSS = false
        if case .pss = algorithm.scheme { isPSS = true }
        return unsafe digest.withAlgorithm { hash in
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, isPSS ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_signature_md(context, hash) == 1
            else { return false }
            guard isPSS else { return true }
            return unsafe EVP_PKEY_CTX_set_rsa_mgf1_md(context, hash) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, CInt(digest.byteCount)) == 1
        }
    }
}
