import Bytes
import COpenSSL

/// An X.509 certificate that was read and understood, but not verified.
///
/// It is immutable, so threads may share it: OpenSSL locks what it caches inside, and counts its owners atomically.
@safe
public final class Certificate: Sendable {
    /// What it says.
    public let facts: CertificateFacts

    // The pointer never changes; see above for what it points to.
    private nonisolated(unsafe) let handle: OpaquePointer

    /// Takes an `X509` over, and frees it where it is refused.
    init(owning handle: OpaquePointer) throws(CertificateError) {
        do {
            facts = unsafe try Self.facts(ofUnsafeHandle: handle)
        } catch {
            unsafe X509_free(handle)
            throw error
        }
        unsafe self.handle = handle
    }

    deinit {
        unsafe X509_free(handle)
    }

    /// Shares an `X509` that has other owners too, and stays when they let it go.
    public convenience init(sharing handle: OpaquePointer) throws(CertificateError) {
        guard unsafe X509_up_ref(handle) == 1 else { throw .library }
        unsafe try self.init(owning: handle)
    }

    /// Reads exactly one certificate: no byte may follow, and the encoding must be distinguished (DER).
    public convenience init(der: Span<UInt8>) throws(CertificateError) {
        let handle = unsafe try LibraryErrors.contained { () throws(CertificateError) in
            let parsed = unsafe der.withUnsafeBufferPointer { der in
                var next = der.baseAddress
                return unsafe d2i_X509(nil, &next, der.count)
            }
            guard let parsed = unsafe parsed else { throw .malformed }
            return unsafe parsed
        }
        unsafe try self.init(owning: handle)
        let encoded = facts.der
        guard encoded.span.equals(der) else { throw .malformed }
    }

    /// Reads every certificate of a PEM text, in order; other blocks and text between blocks are passed over.
    ///
    /// A text without a certificate is refused, and so is one with a broken block.
    public static func chain(pem: Span<UInt8>) throws(CertificateError) -> [Certificate] {
        var chain: [Certificate] = []
        for block in try PEMBlock.all(in: pem) where block.isCertificate {
            let der = block.bytes
            chain.append(try Certificate(der: der.span))
        }
        guard !chain.isEmpty else { throw .noCertificate }
        return chain
    }

    /// The certificate in DER.
    public var der: [UInt8] { facts.der }

    /// The certificate in PEM.
    public var pem: String {
        LibraryErrors.contained {
            guard let bio = MemoryBIO() else { preconditionFailure("no memory for a certificate") }
            let status = unsafe bio.withHandle { bio in unsafe PEM_write_bio_X509(bio, handle) }
            precondition(status == 1, "no memory for a certificate")
            return bio.text()
        }
    }

    /// Whether `key` is the private half of this certificate's key.
    public func isMatched(by key: PrivateKey) -> Bool {
        LibraryErrors.contained { unsafe key.withUnsafeHandle { unsafe X509_check_private_key(handle, $0) == 1 } }
    }

    /// Runs `body` with the `X509`, which stays this object's.
    public func withUnsafeHandle<R>(_ body: (OpaquePointer) throws -> R) rethrows -> R {
        unsafe try body(handle)
    }

    /// Reads an `X509` that stays the caller's: for the TLS room, of a peer.
    public static func facts(ofUnsafeHandle handle: OpaquePointer) throws(CertificateError) -> CertificateFacts {
        try LibraryErrors.contained { () throws(CertificateError) in
            unsafe try CertificateReader(handle).facts()
        }
    }
}
