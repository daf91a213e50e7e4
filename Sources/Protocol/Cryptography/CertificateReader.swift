import Bytes
import COpenSSL
import CShims

/// Reads an `X509` into plain values; what is broken is an error, never an absence.
///
/// The pointer is valid while the reader exists: it is made and used within one call (`Certificate.facts`).
@safe
struct CertificateReader {
    private let certificate: OpaquePointer
    private static let maximumExtensionCount = 64

    init(_ certificate: OpaquePointer) {
        unsafe self.certificate = certificate
    }

    /// All that is wanted of the certificate.
    func facts() throws(CertificateError) -> CertificateFacts {
        try checkExtensions()
        let der = try der()
        guard let digest = try? MessageDigest(.sha256) else { throw .library }
        let subject = unsafe X509_get_subject_name(certificate)
        let alternatives = try alternativeNames()
        return CertificateFacts(
            fingerprint: digest.digest256(der.span), der: der, serialNumber: serialNumber(),
            notBefore: unsafe try Self.moment(X509_get0_notBefore(certificate)),
            notAfter: unsafe try Self.moment(X509_get0_notAfter(certificate)),
            subject: unsafe try Self.text(of: subject), subjectIsEmpty: unsafe X509_NAME_entry_count(subject) == 0,
            issuer: unsafe try Self.text(of: X509_get_issuer_name(certificate)),
            isCertificateAuthority: try isCertificateAuthority(), keyUsage: try keyUsage(),
            extendedKeyUsages: try extendedKeyUsages(), alternativeNames: alternatives?.names ?? [],
            alternativeNamesAreCritical: alternatives?.areCritical ?? false,
            keyThumbprint: keyThumbprint(digest), distributionPoints: try distributionPoints())
    }

    /// Nothing for a key that could not be a JWK's: path validation judges by itself whether the key is good enough.
    private func keyThumbprint(_ digest: MessageDigest) -> Digest256? {
        guard let key = unsafe X509_get0_pubkey(certificate),
            let components = unsafe try? KeyComponents(readPublicFrom: key)
        else { return nil }
        return digest.digest256("{\(components.requiredMembers)}".utf8.span)
    }

    private func der() throws(CertificateError) -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_X509(certificate, &start)
        guard count > 0, let start = unsafe start else { throw .malformed }
        defer { unsafe CRYPTO_free(start, nil, 0) }
        return unsafe Array(UnsafeBufferPointer(start: start, count: Int(count)))
    }

    private func serialNumber() -> String {
        guard let number = unsafe X509_get0_serialNumber(certificate) else { return "" }
        let sign = unsafe ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ? "-" : ""
        return unsafe sign + Hexadecimal.encode(Self.bytes(of: number).span)
    }

    /// The difference to the epoch: OpenSSL gives it in days and seconds whatever the year.
    private static func moment(_ time: UnsafePointer<ASN1_TIME>?) throws(CertificateError) -> UnixTime {
        guard let time = unsafe time, let epoch = unsafe ASN1_TIME_set(nil, 0) else { throw .invalidTime }
        defer { unsafe ASN1_TIME_free(epoch) }
        var days: CInt = 0
        var seconds: CInt = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { throw .invalidTime }
        return UnixTime(seconds: Int64(days) * 86_400 + Int64(seconds))
    }

    /// The one-line form of a name.
    static func text(of name: OpaquePointer?) throws(CertificateError) -> String {
        guard let bio = MemoryBIO() else { throw .library }
        let count = unsafe bio.withHandle { unsafe X509_NAME_print_ex($0, name, 0, sp_xn_flag_rfc2253()) }
        guard count >= 0 else { throw .malformed }
        return bio.text()
    }

    private static func bytes(of string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string = unsafe string else { return [] }
        return unsafe Array(
            UnsafeBufferPointer(start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string))))
    }
}

// MARK: - Extensions

extension CertificateReader {
    private func checkExtensions() throws(CertificateError) {
        let count = unsafe X509_get_ext_count(certificate)
        guard count <= Self.maximumExtensionCount else { throw .malformed }
        for index in 0..<max(0, count) {
            let type = unsafe X509_EXTENSION_get_object(X509_get_ext(certificate, index))
            guard unsafe X509_get_ext_by_OBJ(certificate, type, index) == -1 else { throw .duplicateExtension }
        }
        // OpenSSL reads the extensions that path validation uses, and marks the certificate if one is broken.
        guard unsafe X509_get_extension_flags(certificate) & UInt32(EXFLAG_INVALID) == 0 else {
            throw .invalidExtension
        }
    }

    private func isCertificateAuthority() throws(CertificateError) -> Bool {
        let constraints = unsafe try readExtension(NID_basic_constraints)
        guard let value = unsafe constraints.value else { return false }
        let basic = unsafe value.assumingMemoryBound(to: BASIC_CONSTRAINTS.self)
        defer { unsafe BASIC_CONSTRAINTS_free(basic) }
        return unsafe basic.pointee.ca != 0
    }

    private func keyUsage() throws(CertificateError) -> KeyUsage? {
        let usage = unsafe try readExtension(NID_key_usage)
        guard let value = unsafe usage.value else { return nil }
        let bits = unsafe value.assumingMemoryBound(to: ASN1_BIT_STRING.self)
        defer { unsafe ASN1_BIT_STRING_free(bits) }
        var purposes: UInt16 = 0
        for bit in 0..<9 where unsafe ASN1_BIT_STRING_get_bit(bits, CInt(bit)) == 1 { purposes |= 1 << UInt16(bit) }
        return KeyUsage(KeyUsage.Purposes(rawValue: purposes), isCritical: unsafe usage.isCritical)
    }

    private func extendedKeyUsages() throws(CertificateError) -> [String]? {
        let usages = unsafe try readExtension(NID_ext_key_usage)
        guard let value = unsafe usages.value else { return nil }
        let stack = OpaquePointer(value)
        defer { unsafe EXTENDED_KEY_USAGE_free(stack) }
        var identifiers: [String] = []
        for index in unsafe 0..<max(0, OPENSSL_sk_num(stack)) {
            identifiers.append(unsafe try Self.dotted(OpaquePointer(OPENSSL_sk_value(stack, index))))
        }
        return identifiers
    }

    private func alternativeNames() throws(CertificateError) -> (names: [AlternativeName], areCritical: Bool)? {
        let extensionValue = unsafe try readExtension(NID_subject_alt_name)
        guard let value = unsafe extensionValue.value else { return nil }
        let stack = OpaquePointer(value)
        defer { unsafe GENERAL_NAMES_free(stack) }
        var names: [AlternativeName] = []
        for index in unsafe 0..<max(0, OPENSSL_sk_num(stack)) {
            names.append(unsafe Self.name(OPENSSL_sk_value(stack, index)))
        }
        return (names, unsafe extensionValue.isCritical)
    }

    private func distributionPoints() throws(CertificateError) -> [[UInt8]] {
        let extensionValue = unsafe try readExtension(NID_crl_distribution_points)
        guard let value = unsafe extensionValue.value else { return [] }
        let stack = OpaquePointer(value)
        defer { unsafe CRL_DIST_POINTS_free(stack) }
        var points: [[UInt8]] = []
        for index in unsafe 0..<max(0, OPENSSL_sk_num(stack)) {
            guard
                let point = unsafe OPENSSL_sk_value(stack, index)?.assumingMemoryBound(to: DIST_POINT.self).pointee,
                unsafe point.reasons == nil, unsafe point.CRLissuer == nil, let name = unsafe point.distpoint,
                unsafe name.pointee.type == 0
            else { continue }
            let names = unsafe name.pointee.name.fullname
            for place in unsafe 0..<max(0, OPENSSL_sk_num(names)) {
                if case .uri(let uri) = unsafe Self.name(OPENSSL_sk_value(names, place)) { points.append(uri) }
            }
        }
        return points
    }

    private static func name(_ element: UnsafeMutableRawPointer?) -> AlternativeName {
        var type: CInt = -1
        let name = unsafe element?.assumingMemoryBound(to: GENERAL_NAME.self)
        let value = unsafe GENERAL_NAME_get0_value(name, &type)
        guard [GEN_URI, GEN_DNS, GEN_EMAIL, GEN_IPADD].contains(type) else { return .other }
        let bytes = unsafe bytes(of: value?.assumingMemoryBound(to: ASN1_STRING.self))
        return switch type {
        case GEN_URI: .uri(bytes)
        case GEN_DNS: .dns(bytes)
        case GEN_EMAIL: .email(bytes)
        default: .ipAddress(bytes)
        }
    }

    private static func dotted(_ object: OpaquePointer?) throws(CertificateError) -> String {
        var text = [CChar](repeating: 0, count: 256)
        let count = unsafe OBJ_obj2txt(&text, CInt(text.count), object, 1)
        guard count > 0, count < text.count else { throw .invalidExtension }
        return String(decoding: text.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// The decoded extension, which the caller frees; no value: absent.
    ///
    /// Its octets must be one value and nothing behind it, which OpenSSL does not look at.
    private func readExtension(
        _ type: CInt
    ) throws(CertificateError) -> (value: UnsafeMutableRawPointer?, isCritical: Bool) {
        let index = unsafe X509_get_ext_by_NID(certificate, type, -1)
        guard index >= 0 else { return (nil, false) }
        guard let found = unsafe X509_get_ext(certificate, index),
            unsafe Self.isOneValue(X509_EXTENSION_get_data(found)),
            let value = unsafe X509V3_EXT_d2i(found)
        else { throw .invalidExtension }
        return unsafe (value, X509_EXTENSION_get_critical(found) == 1)
    }

    private static func isOneValue(_ octets: UnsafePointer<ASN1_OCTET_STRING>?) -> Bool {
        guard let octets = unsafe octets else { return false }
        let start = unsafe ASN1_STRING_get0_data(octets)
        let count = unsafe Int(ASN1_STRING_length(octets))
        var content = unsafe start
        var length = 0
        var tag: CInt = 0
        var tagClass: CInt = 0
        let form = unsafe ASN1_get_object(&content, &length, &tag, &tagClass, count)
        // 0x80: broken; 0x01: of indefinite length.
        guard form & 0x81 == 0, let start = unsafe start, let content = unsafe content else { return false }
        return unsafe content - start + length == count
    }
}
