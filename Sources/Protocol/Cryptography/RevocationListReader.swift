import Bytes
import COpenSSL

/// What a revocation list says, as far as it is wanted (RFC 5280 §5.1).
struct RevocationListContents {
    let issuer: String
    let thisUpdate: UnixTime
    let nextUpdate: UnixTime
    let serialNumbers: SerialNumberSet
    let extensions: RevocationListExtensions
    let signature: RevocationListSignature
}

/// Reads a revocation list in one pass over its bytes; of its entries only the serial numbers are kept.
///
/// Whatever might limit or change what the list says is understood, or the list is refused.
struct RevocationListReader: ~Escapable {
    private let bytes: Span<UInt8>

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) {
        self.bytes = bytes
    }

    /// CertificateList: what is signed, by which algorithm, and the signature.
    func contents() throws(RevocationListError) -> RevocationListContents {
        var outer = DERReader(bytes)
        var list = outer.inside(try outer.next(DERTag.sequence))
        guard outer.isAtEnd else { throw .malformed }
        let signed = try list.next(DERTag.sequence)
        let algorithm = try list.next(DERTag.sequence)
        let signature = try signature(list, list.next(DERTag.bitString), algorithm, of: signed)
        guard list.isAtEnd else { throw .malformed }
        return try contents(of: signed, algorithm, signature)
    }

    /// TBSCertList.
    private func contents(
        of signed: DERElement, _ algorithm: DERElement, _ signature: RevocationListSignature
    ) throws(RevocationListError) -> RevocationListContents {
        var fields = DERReader(bytes, signed.content)
        let version = try fields.optional(DERTag.integer)
        // Version 1 has no number and no extensions; version 2 is written as 1.
        if let version, !fields.isContent(of: version, [1]) { throw .malformed }
        let inner = try fields.next(DERTag.sequence)
        guard bytes.extracting(inner.whole).equals(bytes.extracting(algorithm.whole)) else { throw .malformed }
        let issuer = try name(fields.next(DERTag.sequence))
        let thisUpdate = try fields.time(fields.next())
        guard fields.nextTag == DERTag.utcTime || fields.nextTag == DERTag.generalizedTime else { throw .noNextUpdate }
        let nextUpdate = try fields.time(fields.next())
        guard thisUpdate <= nextUpdate else { throw .malformed }
        let entries = try fields.optional(DERTag.sequence)
        let wrapped = try fields.optional(DERTag.field(0, isConstructed: true))
        guard fields.isAtEnd, wrapped == nil || version != nil else { throw .malformed }
        return RevocationListContents(
            issuer: issuer, thisUpdate: thisUpdate, nextUpdate: nextUpdate,
            serialNumbers: try serialNumbers(entries, mayHaveExtensions: version != nil),
            extensions: try wrapped.map { wrapped throws(RevocationListError) in
                try RevocationListExtensions(bytes, wrapped)
            } ?? RevocationListExtensions(), signature: signature)
    }

    private func signature(
        _ list: borrowing DERReader, _ element: DERElement, _ algorithm: DERElement, of signed: DERElement
    ) throws(RevocationListError) -> RevocationListSignature {
        var fields = list.inside(algorithm)
        let identifier = try fields.next(DERTag.objectIdentifier)
        let null = try fields.optional(DERTag.null)
        guard fields.isAtEnd else { throw .algorithm }
        guard null.map(\.content.isEmpty) ?? true else { throw .malformed }
        // The first octet of a bit string says how many bits of the last one do not count.
        let bits = list.content(of: element)
        guard bits.count > 1, bits[0] == 0 else { throw .malformed }
        return try RevocationListSignature(
            identifier: list.content(of: identifier), hasNull: null != nil,
            signature: bits.extracting(1..<bits.count), of: bytes.extracting(signed.whole))
    }

    /// The name as certificates' names are written, by the same function.
    private func name(_ element: DERElement) throws(RevocationListError) -> String {
        let encoded = bytes.extracting(element.whole)
        let text = LibraryErrors.contained { () -> String? in
            let parsed = unsafe encoded.withUnsafeBufferPointer { encoded in
                var next = encoded.baseAddress
                return unsafe d2i_X509_NAME(nil, &next, encoded.count)
            }
            guard let parsed = unsafe parsed else { return nil }
            defer { unsafe X509_NAME_free(parsed) }
            return unsafe try? CertificateReader.text(of: parsed)
        }
        // An issuer has a name (RFC 5280 §5.1.2.3).
        guard let text, !text.isEmpty else { throw .malformed }
        return text
    }

    // MARK: Entries

    private func serialNumbers(
        _ element: DERElement?, mayHaveExtensions: Bool
    ) throws(RevocationListError) -> SerialNumberSet {
        guard let element else { return SerialNumberSet(capacity: 0) }
        var numbers = SerialNumberSet(capacity: try count(of: element))
        guard let hash = try? MessageDigest(.sha256) else { throw .algorithm }
        var entries = DERReader(bytes, element.content)
        while !entries.isAtEnd {
            var entry = entries.inside(try entries.next(DERTag.sequence))
            let number = try entry.next(DERTag.integer)
            try entry.checkInteger(number)
            _ = try entry.time(entry.next())
            if let extensions = try entry.optional(DERTag.sequence) {
                guard mayHaveExtensions else { throw .malformed }
                try Self.checkEntryExtensions(bytes, extensions)
            }
            guard entry.isAtEnd else { throw .malformed }
            numbers.append(entry.content(of: number), hash)
        }
        numbers.sort()
        return numbers
    }

    private func count(of element: DERElement) throws(RevocationListError) -> Int {
        var entries = DERReader(bytes, element.content)
        var count = 0
        while !entries.isAtEnd {
            _ = try entries.next()
            count += 1
        }
        return count
    }

    /// A reason, even that a certificate is only held, and a date change nothing: what is listed is revoked.
    private static func checkEntryExtensions(
        _ bytes: Span<UInt8>, _ element: DERElement
    ) throws(RevocationListError) {
        var extensions = DERReader(bytes, element.content)
        while !extensions.isAtEnd {
            let found = try RevocationListExtensions.next(&extensions)
            switch found.number {
            case 21, 24: break
            case 29: throw .indirect
            default: guard !found.isCritical else { throw .unknownExtension }
            }
        }
    }
}
