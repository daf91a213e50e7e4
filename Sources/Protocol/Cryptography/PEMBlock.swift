import Bytes
import COpenSSL

/// One block of a PEM text (RFC 7468).
struct PEMBlock {
    let label: String
    let bytes: [UInt8]

    /// Whether it holds a certificate, by the label of RFC 7468 §5.1 or its older name.
    var isCertificate: Bool { label == "CERTIFICATE" || label == "X509 CERTIFICATE" }

    /// Reads every block; text between them is passed over, but a line that tries to begin a block and does not is an error.
    static func all(in text: Span<UInt8>) throws(CertificateError) -> [PEMBlock] {
        guard text.count > 0 else { return [] }
        let blocks = try LibraryErrors.contained { () throws(CertificateError) in
            unsafe try MemoryBIO.reading(text) { (bio) throws(CertificateError) in
                var blocks: [PEMBlock] = []
                while let block = unsafe try next(in: bio) { blocks.append(block) }
                return blocks
            }
        }
        guard let blocks else { throw .library }
        guard blocks.count == beginnings(in: text) else { throw .malformed }
        return blocks
    }

    private static func next(in bio: OpaquePointer) throws(CertificateError) -> PEMBlock? {
        var label: UnsafeMutablePointer<CChar>?
        var header: UnsafeMutablePointer<CChar>?
        var data: UnsafeMutablePointer<UInt8>?
        var count = 0
        let status = unsafe PEM_read_bio(bio, &label, &header, &data, &count)
        guard status == 1, let label = unsafe label else {
            guard LibraryErrors.drain(lookingFor: PEM_R_NO_START_LINE, of: ERR_LIB_PEM) else { throw .malformed }
            return nil
        }
        defer {
            unsafe CRYPTO_free(label, nil, 0)
            unsafe CRYPTO_free(header, nil, 0)
            unsafe CRYPTO_clear_free(data, count, nil, 0)
        }
        return unsafe PEMBlock(
            label: String(cString: label), bytes: Array(UnsafeBufferPointer(start: data, count: count)))
    }

    private static func beginnings(in text: Span<UInt8>) -> Int {
        let marker: StaticString = "-----BEGIN "
        let length = marker.utf8CodeUnitCount
        var count = 0
        var position = 0
        while let start = text.firstIndex(of: UInt8(ascii: "-"), from: position), start + length <= text.count {
            if text.extracting(start..<start + length).equals(marker) { count += 1 }
            position = start + 1
        }
        return count
    }
}
