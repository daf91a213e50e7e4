import Bytes
import COpenSSL
import Cryptography

/// A signature that OpenSSL verifies as cheaply as it can: with a context that is kept, and of a digest where it takes one.
///
/// The pointers are freed by nobody: a benchmark has a handful, and ends.
@safe
struct OpenSSLVerification {
    private let digestContext: OpaquePointer?
    private let messageContext: OpaquePointer?
    private let input: [UInt8]
    private let signature: [UInt8]

    /// Signs `message`, which is then verified again and again.
    init(_ message: [UInt8], by key: PrivateKey, with algorithm: SignatureAlgorithm, engine: CryptographicEngine) throws
    {
        let jose = try key.sign(message.span, with: algorithm)
        guard algorithm != .ed25519 else {
            let context = unsafe EVP_MD_CTX_new()
            let status = unsafe key.withUnsafeHandle {
                unsafe EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, $0, nil)
            }
            precondition(status == 1, "OpenSSL has no Ed25519")
            unsafe (digestContext, messageContext, input, signature) = (nil, context, message, jose)
            return
        }
        let context = unsafe key.withUnsafeHandle { unsafe EVP_PKEY_CTX_new_from_pkey(nil, $0, nil) }
        precondition(unsafe EVP_PKEY_verify_init(context) == 1, "OpenSSL does not verify")
        if algorithm == .ps256 {
            let isSet =
                unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, 32) == 1
            precondition(isSet, "OpenSSL has no RSASSA-PSS")
        }
        let digest = engine.sha256(message.span)
        let bytes = digest.bytes
        unsafe (digestContext, messageContext) = (context, nil)
        input = Array(copying: bytes.span)
        signature = algorithm == .es256 ? Self.der(ofJOSE: jose) : jose
    }

    func run() {
        let status =
            if let context = unsafe digestContext {
                unsafe EVP_PKEY_verify(context, signature, signature.count, input, input.count)
            } else {
                unsafe EVP_DigestVerify(messageContext, signature, signature.count, input, input.count)
            }
        precondition(status == 1, "a signature of ours does not verify")
    }

    private static func der(ofJOSE jose: [UInt8]) -> [UInt8] {
        let half = jose.count / 2
        let pair = unsafe ECDSA_SIG_new()
        let r = unsafe BN_bin2bn(Array(jose[..<half]), CInt(half), nil)
        let s = unsafe BN_bin2bn(Array(jose[half...]), CInt(half), nil)
        precondition(unsafe ECDSA_SIG_set0(pair, r, s) == 1, "no memory for a signature")
        var bytes: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_ECDSA_SIG(pair, &bytes)
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}
