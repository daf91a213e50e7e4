import Bytes
import COpenSSL

/// The signature of a revocation list, with what it takes to verify it: once the list is read, the list itself is not needed.
struct RevocationListSignature: Sendable {
    /// The ways of signing, by the contents of their object identifiers.
    private enum Algorithm: CaseIterable {
        case rsaSHA256, rsaSHA384, rsaSHA512, ecdsaSHA256, ecdsaSHA384, ecdsaSHA512, ed25519

        /// RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3.
        var identifier: [UInt8] {
            let rsa: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01]
            let ecdsa: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03]
            return switch self {
            case .rsaSHA256: rsa + [11]
            case .rsaSHA384: rsa + [12]
            case .rsaSHA512: rsa + [13]
            case .ecdsaSHA256: ecdsa + [2]
            case .ecdsaSHA384: ecdsa + [3]
            case .ecdsaSHA512: ecdsa + [4]
            case .ed25519: [0x2B, 0x65, 0x70]
            }
        }

        var hash: MessageHash? {
            switch self {
            case .rsaSHA256, .ecdsaSHA256: .sha256
            case .rsaSHA384, .ecdsaSHA384: .sha384
            case .rsaSHA512, .ecdsaSHA512: .sha512
            case .ed25519: nil
            }
        }

        /// What the key has to be.
        var keyType: StaticString {
            switch self {
            case .rsaSHA256, .rsaSHA384, .rsaSHA512: "RSA"
            case .ecdsaSHA256, .ecdsaSHA384, .ecdsaSHA512: "EC"
            case .ed25519: "ED25519"
            }
        }
    }

    private let algorithm: Algorithm
    private let signature: [UInt8]
    /// The digest of what was signed; for Ed25519, which hashes by itself, all of it.
    private let signed: [UInt8]

    /// Takes a signature.
    ///
    /// - Parameters:
    ///   - identifier: the object identifier of the algorithm.
    ///   - hasNull: whether a NULL stood for its parameters: RSA's have one, or nothing (RFC 4055 §5), others nothing.
    ///   - signature: the signature.
    ///   - bytes: what was signed.
    init(
        identifier: Span<UInt8>, hasNull: Bool, signature: Span<UInt8>, of bytes: Span<UInt8>
    ) throws(RevocationListError) {
        let known = Algorithm.allCases.first { algorithm in
            let expected = algorithm.identifier
            return expected.span.equals(identifier)
        }
        guard let algorithm = known, !hasNull || algorithm.keyType.equals("RSA") else { throw .algorithm }
        self.algorithm = algorithm
        self.signature = Array(copying: signature)
        guard let hash = algorithm.hash else {
            signed = Array(copying: bytes)
            return
        }
        guard let digest = try? MessageDigest(hash) else { throw .algorithm }
        digest.start()
        digest.update(bytes)
        var output: [64 of UInt8] = .init(repeating: 0)
        digest.finish(&output)
        signed = Array(copying: output.span.extracting(..<digest.byteCount))
    }

    /// Whether it was made with the key of `certificate`.
    func isMade(by certificate: Certificate) -> Bool {
        LibraryErrors.contained {
            unsafe certificate.withUnsafeHandle { handle in
                guard let key = unsafe X509_get0_pubkey(handle),
                    unsafe EVP_PKEY_is_a(key, cString(algorithm.keyType)) == 1
                else { return false }
                return unsafe algorithm.hash == nil ? verifiesMessage(key) : verifiesDigest(key)
            }
        }
    }

    private func verifiesDigest(_ key: OpaquePointer) -> Bool {
        guard let hash = algorithm.hash, let digest = try? MessageDigest(hash),
            let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_verify_init(context) == 1,
            unsafe digest.withAlgorithm({ unsafe EVP_PKEY_CTX_set_signature_md(context, $0) }) == 1
        else { return false }
        if algorithm.keyType.equals("RSA") {
            guard unsafe EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 else { return false }
        }
        return unsafe EVP_PKEY_verify(context, signature, signature.count, signed, signed.count) == 1
    }

    private func verifiesMessage(_ key: OpaquePointer) -> Bool {
        guard let context = unsafe EVP_MD_CTX_new() else { return false }
        defer { unsafe EVP_MD_CTX_free(context) }
        guard unsafe EVP_DigestVerifyInit_ex(context, nil, nil, nil, nil, key, nil) == 1 else { return false }
        return unsafe EVP_DigestVerify(context, signature, signature.count, signed, signed.count) == 1
    }
}

extension StaticString {
    fileprivate func equals(_ other: StaticString) -> Bool { "\(self)" == "\(other)" }
}
