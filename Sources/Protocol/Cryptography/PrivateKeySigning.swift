import Bytes
import COpenSSL

extension PrivateKey {
    /// Signs `message` with `algorithm`, which must suit the key; the signature is in JOSE form (RFC 7518 §3).
    public func sign(_ message: Span<UInt8>, with algorithm: SignatureAlgorithm) throws(KeyError) -> [UInt8] {
        guard publicKey.accepts(algorithm) else { throw .unsuitable }
        return try LibraryErrors.contained { () throws(KeyError) in
            switch algorithm.scheme {
            case .eddsa: try signature(of: message, hash: nil, isPSS: false)
            case .pss(let hash): try signature(of: message, hash: hash, isPSS: true)
            case .pkcs1(let hash): try signature(of: message, hash: hash, isPSS: false)
            case .ecdsa(let curve, let hash):
                try Self.joseForm(ofDER: signature(of: message, hash: hash, isPSS: false), on: curve)
            }
        }
    }

    private func signature(
        of message: Span<UInt8>, hash: MessageHash?, isPSS: Bool
    ) throws(KeyError) -> [UInt8] {
        guard let context = unsafe EVP_MD_CTX_new() else { throw .library }
        defer { unsafe EVP_MD_CTX_free(context) }
        var parameters: OpaquePointer?
        let name = unsafe hash.map { unsafe cString($0.name) }
        let isReady = unsafe withUnsafeHandle { key in
            unsafe EVP_DigestSignInit_ex(context, &parameters, name, nil, nil, key, nil) == 1
        }
        guard isReady else { throw .library }
        if isPSS {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1,
                unsafe EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1
            else { throw .library }
        }
        return unsafe try message.withUnsafeBufferPointer { (message) throws(KeyError) in
            var count = 0
            guard unsafe EVP_DigestSign(context, nil, &count, message.baseAddress, message.count) == 1 else {
                throw .library
            }
            var signature = [UInt8](repeating: 0, count: count)
            guard unsafe EVP_DigestSign(context, &signature, &count, message.baseAddress, message.count) == 1 else {
                throw .library
            }
            return Array(signature.prefix(count))
        }
    }

    private static func joseForm(ofDER der: [UInt8], on curve: EllipticCurve) throws(KeyError) -> [UInt8] {
        let half = curve.coordinateByteCount
        var joined = [UInt8](repeating: 0, count: 2 * half)
        let isWritten = unsafe der.withUnsafeBufferPointer { der in
            var start = der.baseAddress
            guard let signature = unsafe d2i_ECDSA_SIG(nil, &start, der.count) else { return false }
            defer { unsafe ECDSA_SIG_free(signature) }
            return unsafe joined.withUnsafeMutableBufferPointer { joined in
                guard let r = joined.baseAddress else { return false }
                return unsafe BN_bn2binpad(ECDSA_SIG_get0_r(signature), r, CInt(half)) == CInt(half)
                    && BN_bn2binpad(ECDSA_SIG_get0_s(signature), r + half, CInt(half)) == CInt(half)
            }
        }
        guard isWritten else { throw .library }
        return joined
    }
}
