import Bytes
import COpenSSL
import CShims

/// How tickets are sealed: AES-256-CBC, then HMAC-SHA-256 over all of it (RFC 5077 §4), as OpenSSL lays them out.
@safe
final class TicketCipher {
    private static let vectorByteCount = 16
    private let algorithm: OpaquePointer

    init() throws(TLSError) {
        guard let algorithm = unsafe EVP_CIPHER_fetch(nil, "AES-256-CBC", nil) else {
            throw .drained("EVP_CIPHER_fetch")
        }
        unsafe self.algorithm = algorithm
    }

    deinit {
        unsafe EVP_CIPHER_free(algorithm)
    }

    /// Names the key, chooses a vector, and prepares to seal.
    ///
    /// - Returns: 1, or -1 where it cannot.
    func seal(
        under key: TicketKey, _ name: UnsafeMutablePointer<UInt8>, _ vector: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer, _ code: OpaquePointer
    ) -> CInt {
        guard unsafe RAND_bytes(vector, CInt(Self.vectorByteCount)) == 1 else { return -1 }
        for (index, byte) in key.name.enumerated() { unsafe name[index] = byte }
        return unsafe prepare(key, vector, cipher, code, seals: true) ? 1 : -1
    }

    /// Finds the key by its name, and prepares to open.
    ///
    /// - Returns: 1; 2 where the ticket should be renewed; 0 where nobody has the key any more; or -1.
    func open(
        with keys: TicketKeys, _ name: UnsafePointer<UInt8>, _ vector: UnsafePointer<UInt8>,
        _ cipher: OpaquePointer, _ code: OpaquePointer
    ) -> CInt {
        let name = unsafe Span(_unsafeStart: name, count: TicketKey.nameByteCount)
        guard let found = keys.key(named: name) else { return 0 }
        guard unsafe prepare(found.key, vector, cipher, code, seals: false) else { return -1 }
        return found.isOld ? 2 : 1
    }

    private func prepare(
        _ key: TicketKey, _ vector: UnsafePointer<UInt8>, _ cipher: OpaquePointer, _ code: OpaquePointer, seals: Bool
    ) -> Bool {
        unsafe key.cipherKey.withUnsafeBufferPointer { cipherKey in
            unsafe key.authenticationKey.withUnsafeBufferPointer { authenticationKey in
                unsafe sp_tls_prepare_ticket(
                    cipher, code, algorithm, cipherKey.baseAddress, vector, authenticationKey.baseAddress,
                    authenticationKey.count, seals ? 1 : 0) == 1
            }
        }
    }
}
