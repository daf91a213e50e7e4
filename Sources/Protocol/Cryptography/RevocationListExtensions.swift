import Bytes

/// What the extensions of a revocation list say (RFC 5280 §5.2).
struct RevocationListExtensions {
    private(set) var number: [UInt8]?
    private(set) var keyIdentifier: [UInt8]?
    private(set) var coverage = CertificateRevocationList.Coverage.everything
    private(set) var distributionPoints: [[UInt8]] = []

    private static let maximumCount = 64

    /// What a list without extensions says.
    init() {}

    /// Reads the field that holds the extensions.
    init(_ bytes: Span<UInt8>, _ wrapped: DERElement) throws(RevocationListError) {
        var wrapper = DERReader(bytes, wrapped.content)
        var extensions = wrapper.inside(try wrapper.next(DERTag.sequence))
        guard wrapper.isAtEnd, !extensions.isAtEnd else { throw .malformed }
        var seen: [[UInt8]] = []
        while !extensions.isAtEnd {
            let found = try Self.next(&extensions)
            guard seen.count < Self.maximumCount else { throw .malformed }
            guard !seen.contains(found.identifier) else { throw .duplicateExtension }
            seen.append(found.identifier)
            try take(found, bytes)
        }
    }

    /// One extension, its value not yet looked at.
    struct Extension {
        let identifier: [UInt8]
        let isCritical: Bool
        /// The content octets of its value's octet string.
        let value: Range<Int>

        /// The last number of the identifiers that X.509 gave itself (2.5.29.n).
        var number: UInt8? {
            identifier.count == 3 && identifier[0] == 0x55 && identifier[1] == 0x1D ? identifier[2] : nil
        }
    }

    /// Reads the next extension.
    static func next(_ extensions: inout DERReader) throws(RevocationListError) -> Extension {
        var fields = extensions.inside(try extensions.next(DERTag.sequence))
        let identifier = try fields.next(DERTag.objectIdentifier)
        var isCritical = false
        if let element = try fields.optional(DERTag.boolean) {
            isCritical = try fields.boolean(element)
            // The default is not written (X.690 §11.5).
            guard isCritical else { throw .malformed }
        }
        let value = try fields.next(DERTag.octetString)
        guard fields.isAtEnd else { throw .malformed }
        return Extension(
            identifier: Array(copying: fields.content(of: identifier)), isCritical: isCritical, value: value.content)
    }

    private mutating func take(_ found: Extension, _ bytes: Span<UInt8>) throws(RevocationListError) {
        switch found.number {
        case 20: try takeNumber(DERReader(bytes, found.value))
        case 27: throw .delta
        case 28: try takeScope(DERReader(bytes, found.value))
        case 35: try takeKeyIdentifier(DERReader(bytes, found.value))
        default: guard !found.isCritical else { throw .unknownExtension }
        }
    }

    /// cRLNumber: an integer that is not negative, of at most 20 octets.
    private mutating func takeNumber(_ reader: consuming DERReader) throws(RevocationListError) {
        let element = try reader.next(DERTag.integer)
        try reader.checkInteger(element)
        let content = reader.content(of: element)
        guard reader.isAtEnd, content[0] < 0x80, content.count <= 21 else { throw .malformed }
        number = Array(Array(copying: content).drop { $0 == 0 })
    }

    /// authorityKeyIdentifier: only the identifier is wanted.
    private mutating func takeKeyIdentifier(_ reader: consuming DERReader) throws(RevocationListError) {
        let element = try reader.next(DERTag.sequence)
        var fields = reader.inside(element)
        guard reader.isAtEnd else { throw .malformed }
        while !fields.isAtEnd {
            let field = try fields.next()
            if field.tag == DERTag.field(0, isConstructed: false) {
                keyIdentifier = Array(copying: fields.content(of: field))
            }
        }
    }

    /// issuingDistributionPoint (RFC 5280 §5.2.5): which certificates the list is about.
    private mutating func takeScope(_ reader: consuming DERReader) throws(RevocationListError) {
        let element = try reader.next(DERTag.sequence)
        var fields = reader.inside(element)
        guard reader.isAtEnd else { throw .malformed }
        var last = -1
        while !fields.isAtEnd {
            let field = try fields.next()
            let number = Int(field.tag & 0x1F)
            guard field.tag & 0xC0 == 0x80, number > last else { throw .malformed }
            last = number
            switch number {
            case 0: try takePoint(fields.inside(field))
            case 1: if try fields.boolean(field) { try limit(to: .endEntities) }
            case 2: if try fields.boolean(field) { try limit(to: .authorities) }
            case 4: if try fields.boolean(field) { throw .indirect }
            // Some reasons; attribute certificates; something that nobody knows.
            default: throw .partial
            }
        }
    }

    private mutating func limit(to coverage: CertificateRevocationList.Coverage) throws(RevocationListError) {
        guard self.coverage == .everything else { throw .partial }
        self.coverage = coverage
    }

    /// DistributionPointName: the full name, with one URI at least.
    private mutating func takePoint(_ reader: consuming DERReader) throws(RevocationListError) {
        let element = try reader.next()
        guard reader.isAtEnd, element.tag == DERTag.field(0, isConstructed: true) else { throw .partial }
        var names = reader.inside(element)
        while !names.isAtEnd {
            let name = try names.next()
            guard name.tag == DERTag.field(6, isConstructed: false) else { continue }
            distributionPoints.append(Array(copying: names.content(of: name)))
        }
        guard !distributionPoints.isEmpty else { throw .partial }
    }
}
