public import Bytes
public import Cryptography

/// Makes revocation lists, right or wrong: each part is bytes in DER, and the signature is right unless told otherwise.
public struct RevocationListMaker: Sendable {
    /// Who signs.
    public var authority: CertificateAuthority
    /// The version field; none: version 1.
    public var version: [UInt8]? = DER.integer([1])
    /// The issuer's name: a sequence.
    public var issuer: [UInt8]
    /// When it was issued, such as `270115080000Z`.
    public var thisUpdate: [UInt8]
    /// When it ends; none: it does not say.
    public var nextUpdate: [UInt8]?
    /// The entries; none: the field is left out.
    public var entries: [[UInt8]]? = nil
    /// The extensions; none: the field is left out.
    public var extensions: [[UInt8]]? = nil
    /// The algorithm; by default that of the key.
    public var algorithm: [UInt8]?
    /// The algorithm outside of what is signed, where it is another.
    public var outerAlgorithm: [UInt8]?

    /// A list of nothing.
    ///
    /// - Parameters:
    ///   - authority: who signs; its name is `CN=` and `name`.
    ///   - name: the common name.
    ///   - validity: issue and end.
    public init(_ authority: CertificateAuthority, name: String, validFor validity: ClosedRange<UnixTime>) {
        self.authority = authority
        issuer = Self.name(name)
        thisUpdate = Self.time(validity.lowerBound)
        nextUpdate = Self.time(validity.upperBound)
    }

    /// A name of one part, a UTF8String.
    public static func name(_ commonName: String, string: UInt8 = 0x0C) -> [UInt8] {
        DER.sequence(
            DER.value(
                0x31, DER.sequence(DER.identifier([0x55, 0x04, 0x03]), DER.value(string, Array(commonName.utf8)))))
    }

    /// A time in the form for years before 2050.
    public static func time(_ time: UnixTime) -> [UInt8] {
        let civil = CivilTime(time)
        let fields = [civil.year % 100, civil.month, civil.day, civil.hour, civil.minute, civil.second]
        return DER.time(fields.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined() + "Z")
    }

    /// An entry for a serial number in hexadecimal, as certificates' facts have it.
    public static func entry(_ serialNumber: String, extensions: [[UInt8]]? = nil) -> [UInt8] {
        let digits = Array(serialNumber.utf8)
        let bytes = Array((Hexadecimal.decode(digits.span) ?? []).drop { $0 == 0 })
        let content = bytes.first.map { $0 >= 0x80 } ?? true ? [0] + bytes : bytes
        let parts = DER.integer(content) + DER.time("260101000000Z")
        return DER.sequence(parts + (extensions.map { DER.sequence($0.flatMap(\.self)) } ?? []))
    }

    /// An extension of X.509's own (2.5.29.n).
    public static func extended(_ number: UInt8, isCritical: Bool = false, _ value: [UInt8]) -> [UInt8] {
        DER.sequence(
            DER.identifier([0x55, 0x1D, number]), isCritical ? [1, 1, 0xFF] : [], DER.value(0x04, value))
    }

    /// The extension with the list's number.
    public static func number(_ number: UInt8) -> [UInt8] { extended(20, DER.integer([number])) }

    /// The extension that says which certificates the list is about.
    public static func scope(_ fields: [UInt8]...) -> [UInt8] {
        extended(28, isCritical: true, DER.sequence(fields.flatMap(\.self)))
    }

    /// The field of the scope with the only distribution point.
    public static func point(_ uri: String) -> [UInt8] {
        DER.value(0xA0, DER.value(0xA0, DER.value(0x86, Array(uri.utf8))))
    }

    /// The list in DER.
    public func der() throws -> [UInt8] {
        let algorithm = algorithm ?? ownAlgorithm
        var fields = (version ?? []) + algorithm + issuer + thisUpdate + (nextUpdate ?? [])
        if let entries { fields += DER.sequence(entries.flatMap(\.self)) }
        if let extensions { fields += DER.value(0xA0, DER.sequence(extensions.flatMap(\.self))) }
        let signed = DER.sequence(fields)
        let signature = try signature(of: signed)
        return DER.sequence(signed, outerAlgorithm ?? algorithm, DER.value(0x03, [0] + signature))
    }

    /// The list, read.
    public func list() throws -> CertificateRevocationList {
        let der = try der()
        return try CertificateRevocationList(der: der.span)
    }

    private var ownAlgorithm: [UInt8] {
        switch authority.key.publicKey.kind {
        case .rsa: DER.sequence(DER.identifier([0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 11]), [5, 0])
        case .ed25519: DER.sequence(DER.identifier([0x2B, 0x65, 0x70]))
        case .ellipticCurve(let curve):
            DER.sequence(
                DER.identifier(
                    [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x04, 0x03, curve == .p256 ? 2 : curve == .p384 ? 3 : 4]))
        }
    }

    private func signature(of signed: [UInt8]) throws -> [UInt8] {
        switch authority.key.publicKey.kind {
        case .rsa: return try authority.key.sign(signed.span, with: .rs256)
        case .ed25519: return try authority.key.sign(signed.span, with: .ed25519)
        case .ellipticCurve(let curve):
            let algorithm: SignatureAlgorithm = curve == .p256 ? .es256 : curve == .p384 ? .es384 : .es512
            let joined = try authority.key.sign(signed.span, with: algorithm)
            let half = joined.count / 2
            return DER.sequence(Self.positive(joined[..<half]), Self.positive(joined[half...]))
        }
    }

    private static func positive(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let significant = Array(bytes.drop { $0 == 0 })
        return DER.integer(significant.first.map { $0 >= 0x80 } ?? true ? [0] + significant : significant)
    }
}
