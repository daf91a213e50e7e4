import Bytes
import COpenSSL
import CShims

/// A key that signs: of the server's certificate, of an issuer, of an agent.
///
/// It is immutable, so threads may share it: OpenSSL only reads it, and counts its owners atomically.
@safe
public final class PrivateKey: Sendable {
    /// What sort of key to make.
    public enum Kind: Equatable, Sendable {
        /// For ECDSA.
        case ellipticCurve(EllipticCurve)
        /// For RSASSA; the length of the modulus in bits, 2048 to 8192.
        case rsa(bits: Int)
        /// For EdDSA.
        case ed25519
    }

    /// The other half.
    public let publicKey: PublicKey

    private let components: KeyComponents
    // The pointer never changes, and what it points to is only read.
    private nonisolated(unsafe) let handle: OpaquePointer

    /// Takes a key over, and frees it where it is refused.
    private init(owning handle: OpaquePointer) throws(KeyError) {
        do {
            components = unsafe try KeyComponents(readFrom: handle)
            publicKey = try PublicKey(components)
        } catch {
            unsafe EVP_PKEY_free(handle)
            throw error
        }
        unsafe self.handle = handle
    }

    deinit {
        unsafe EVP_PKEY_free(handle)
    }

    /// Makes a new key from the system's entropy.
    public static func generate(_ kind: Kind) throws(KeyError) -> PrivateKey {
        let handle = unsafe try LibraryErrors.contained { () throws(KeyError) in
            switch kind {
            case .ellipticCurve(let curve):
                unsafe try generate("EC") { unsafe EVP_PKEY_CTX_set_group_name($0, cString(curve.groupName)) == 1 }
            case .rsa(let bits) where bits < 2048: throw .weak
            case .rsa(let bits) where bits > 8192: throw .unsupported
            case .rsa(let bits):
                unsafe try generate("RSA") { unsafe EVP_PKEY_CTX_set_rsa_keygen_bits($0, CInt(bits)) == 1 }
            case .ed25519: unsafe try generate("ED25519") { _ in true }
            }
        }
        return unsafe try PrivateKey(owning: handle)
    }

    /// Reads the first private key of a PEM text: PKCS#8, SEC 1 or PKCS#1.
    ///
    /// An encrypted key is refused.
    public convenience init(pem: Span<UInt8>) throws(KeyError) {
        let handle = unsafe try LibraryErrors.contained { () throws(KeyError) in
            var wasEncrypted = false
            let handle = unsafe MemoryBIO.reading(pem) { bio in
                unsafe withUnsafeMutablePointer(to: &wasEncrypted) { wasEncrypted in
                    unsafe PEM_read_bio_PrivateKey(bio, nil, refusePassphrase, wasEncrypted)
                }
            }
            if wasEncrypted {
                if let handle = unsafe handle { unsafe EVP_PKEY_free(handle) }
                throw .encrypted
            }
            guard let handle = unsafe handle ?? nil else { throw .malformed }
            return unsafe handle
        }
        unsafe try self.init(owning: handle)
    }

    /// The key as PKCS#8 in PEM, not encrypted.
    public var pem: String {
        LibraryErrors.contained {
            guard let bio = MemoryBIO() else { preconditionFailure("no memory for a key") }
            let status = unsafe bio.withHandle { bio in
                unsafe PEM_write_bio_PKCS8PrivateKey(bio, handle, nil, nil, 0, nil, nil)
            }
            precondition(status == 1, "no memory for a key")
            return bio.text()
        }
    }

    /// The public half as a JSON Web Key for signatures, an object in one line (RFC 7517 §4).
    public func publicJWK(keyID: String?, algorithm: SignatureAlgorithm?) -> String {
        var members = components.requiredMembers
        if let algorithm { members += #","alg":"\#(algorithm.rawValue)""# }
        if let keyID { members += #","kid":"\#(Self.escaped(keyID))""# }
        return "{\(members),\"use\":\"sig\"}"
    }

    /// Runs `body` with the `EVP_PKEY`, which stays this object's: for the TLS room only.
    public func withUnsafeHandle<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        unsafe try body(handle)
    }

    private static func generate(
        _ type: StaticString, configure: (OpaquePointer) -> Bool
    ) throws(KeyError) -> OpaquePointer {
        guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, cString(type), nil) else { throw .library }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe configure(context) else { throw .unsupported }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key else { throw .library }
        return unsafe key
    }

    /// JSON's escapes for quotation mark, reverse solidus and control characters (RFC 8259 §7).
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..."\u{1f}": result += "\\u00" + Hexadecimal.encode([UInt8(scalar.value)].span)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

/// Answers OpenSSL's demand for a passphrase with a refusal: otherwise it would ask the terminal.
private func refusePassphrase(
    _ buffer: UnsafeMutablePointer<CChar>?, _ size: CInt, _ isForWriting: CInt, _ context: UnsafeMutableRawPointer?
) -> CInt {
    unsafe context?.assumingMemoryBound(to: Bool.self).pointee = true
    return -1
}
