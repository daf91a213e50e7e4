import Bytes
import COpenSSL

/// An `X509` under construction, freed unless it is finished.
@safe
struct CertificateWriter: ~Copyable {
    private let certificate: OpaquePointer

    /// Writes and signs a certificate; without an issuer it is its own.
    static func write(
        _ request: CertificateRequest, issuer: Certificate?, signedBy key: PrivateKey
    ) throws(CertificateError) -> Certificate {
        let handle = unsafe try LibraryErrors.contained { () throws(CertificateError) in
            let writer = try CertificateWriter()
            try writer.writeBody(of: request, issuer: issuer)
            try writer.writeKeyIdentifiers(issuer: issuer)
            try writer.writeUsages(of: request)
            try writer.writeAlternativeNames(of: request)
            try writer.sign(with: key)
            return unsafe try writer.finish()
        }
        return unsafe try Certificate(owning: handle)
    }

    private init() throws(CertificateError) {
        guard let certificate = unsafe X509_new() else { throw .library }
        unsafe self.certificate = certificate
    }

    deinit {
        unsafe X509_free(certificate)
    }

    private borrowing func finish() throws(CertificateError) -> OpaquePointer {
        // One owner more: this value gives its own share back.
        guard unsafe X509_up_ref(certificate) == 1 else { throw .library }
        return unsafe certificate
    }

    private borrowing func writeBody(
        of request: CertificateRequest, issuer: Certificate?
    ) throws(CertificateError) {
        try writeSerialNumber()
        let subject = unsafe X509_get_subject_name(certificate)
        if let commonName = request.commonName {
            let bytes = Array(commonName.utf8)
            let status = unsafe X509_NAME_add_entry_by_txt(
                subject, "CN", MBSTRING_FLAG | MBSTRING_UTF8, bytes, CInt(clamping: bytes.count), -1, 0)
            guard status == 1 else { throw .unacceptableRequest }
        }
        let issuerName =
            if let issuer { unsafe issuer.withUnsafeHandle { unsafe X509_get_subject_name($0) } } else {
                unsafe subject
            }
        guard unsafe X509_set_version(certificate, Int(X509_VERSION_3)) == 1,
            unsafe X509_set_issuer_name(certificate, issuerName) == 1,
            unsafe request.publicKey.withHandle({ unsafe X509_set_pubkey(certificate, $0) }) == 1
        else { throw .library }
        guard unsafe ASN1_TIME_set(X509_getm_notBefore(certificate), Int(request.notBefore.seconds)) != nil,
            unsafe ASN1_TIME_set(X509_getm_notAfter(certificate), Int(request.notAfter.seconds)) != nil
        else { throw .unacceptableRequest }
    }

    /// 128 random bits, the first zero and the second one: positive, and never shorter (RFC 5280 §4.1.2.2).
    private borrowing func writeSerialNumber() throws(CertificateError) {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard unsafe RAND_bytes(&bytes, CInt(bytes.count)) == 1 else { throw .library }
        bytes[0] = bytes[0] & 0x3f | 0x40
        guard let number = unsafe BN_bin2bn(bytes, CInt(bytes.count), nil) else { throw .library }
        defer { unsafe BN_free(number) }
        guard unsafe BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil else { throw .library }
    }

    /// Names the certified key and the issuer's by 160 bits of SHA-256 (RFC 7093 §2).
    private borrowing func writeKeyIdentifiers(issuer: Certificate?) throws(CertificateError) {
        guard let identifier = unsafe ASN1_OCTET_STRING_new() else { throw .library }
        defer { unsafe ASN1_OCTET_STRING_free(identifier) }
        guard let algorithm = unsafe EVP_MD_fetch(nil, cString(MessageHash.sha256.name), nil) else { throw .library }
        defer { unsafe EVP_MD_free(algorithm) }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        guard unsafe X509_pubkey_digest(certificate, algorithm, &digest, nil) == 1,
            unsafe ASN1_OCTET_STRING_set(identifier, digest, 20) == 1
        else { throw .library }
        unsafe try add(NID_subject_key_identifier, identifier, isCritical: false)
        guard let issuer else { return }
        guard let issuerIdentifier = unsafe issuer.withUnsafeHandle({ unsafe X509_get0_subject_key_id($0) }) else {
            return
        }
        guard let authority = unsafe AUTHORITY_KEYID_new() else { throw .library }
        defer { unsafe AUTHORITY_KEYID_free(authority) }
        unsafe authority.pointee.keyid = ASN1_OCTET_STRING_dup(issuerIdentifier)
        unsafe try add(NID_authority_key_identifier, authority, isCritical: false)
    }

    private borrowing func writeUsages(of request: CertificateRequest) throws(CertificateError) {
        guard let constraints = unsafe BASIC_CONSTRAINTS_new() else { throw .library }
        defer { unsafe BASIC_CONSTRAINTS_free(constraints) }
        unsafe constraints.pointee.ca = request.isCertificateAuthority ? 255 : 0
        unsafe try add(NID_basic_constraints, constraints, isCritical: true)
        if let usage = request.keyUsage { try write(usage) }
        if let usages = request.extendedKeyUsages { try write(extendedKeyUsages: usages) }
    }

    private borrowing func write(_ usage: KeyUsage) throws(CertificateError) {
        guard let bits = unsafe ASN1_BIT_STRING_new() else { throw .library }
        defer { unsafe ASN1_BIT_STRING_free(bits) }
        for bit in 0..<9 where usage.purposes.rawValue & 1 << UInt16(bit) != 0 {
            guard unsafe ASN1_BIT_STRING_set_bit(bits, CInt(bit), 1) == 1 else { throw .library }
        }
        unsafe try add(NID_key_usage, bits, isCritical: usage.isCritical)
    }

    private borrowing func write(extendedKeyUsages usages: [String]) throws(CertificateError) {
        guard let stack = unsafe OPENSSL_sk_new_null() else { throw .library }
        defer { unsafe EXTENDED_KEY_USAGE_free(stack) }
        for usage in usages {
            guard let object = unsafe OBJ_txt2obj(usage, 1) else { throw .unacceptableRequest }
            guard unsafe OPENSSL_sk_push(stack, UnsafeRawPointer(object)) > 0 else {
                unsafe ASN1_OBJECT_free(object)
                throw .library
            }
        }
        unsafe try add(NID_ext_key_usage, UnsafeMutableRawPointer(stack), isCritical: false)
    }

    private borrowing func sign(with key: PrivateKey) throws(CertificateError) {
        let hash: StaticString? =
            switch key.publicKey.kind {
            case .ellipticCurve(.p256), .rsa: MessageHash.sha256.name
            case .ellipticCurve(.p384): MessageHash.sha384.name
            case .ellipticCurve(.p521): MessageHash.sha512.name
            case .ed25519: nil
            }
        let algorithm = unsafe hash.flatMap { unsafe EVP_MD_fetch(nil, cString($0), nil) }
        defer { unsafe EVP_MD_free(algorithm) }
        guard unsafe key.withUnsafeHandle({ unsafe X509_sign(certificate, $0, algorithm) }) > 0 else { throw .library }
    }

    private borrowing func add(
        _ type: CInt, _ value: UnsafeMutableRawPointer, isCritical: Bool
    ) throws(CertificateError) {
        guard unsafe X509_add1_ext_i2d(certificate, type, value, isCritical ? 1 : 0, 0) == 1 else { throw .library }
    }
}

// MARK: - Alternative names

extension CertificateWriter {
    private borrowing func writeAlternativeNames(of request: CertificateRequest) throws(CertificateError) {
        guard let stack = unsafe OPENSSL_sk_new_null() else { throw .library }
        defer { unsafe GENERAL_NAMES_free(stack) }
        for uri in request.uris { unsafe try Self.push(Array(uri.utf8), as: GEN_URI, to: stack) }
        for name in request.dnsNames { unsafe try Self.push(Array(name.utf8), as: GEN_DNS, to: stack) }
        for email in request.emails { unsafe try Self.push(Array(email.utf8), as: GEN_EMAIL, to: stack) }
        for address in request.ipAddresses {
            guard let octets = unsafe a2i_IPADDRESS(address) else { throw .unacceptableRequest }
            unsafe try Self.push(octets, as: GEN_IPADD, to: stack)
        }
        guard unsafe OPENSSL_sk_num(stack) > 0 else { return }
        unsafe try add(
            NID_subject_alt_name, UnsafeMutableRawPointer(stack), isCritical: request.commonName == nil)
    }

    /// Adds a name of ASCII bytes as they are, NUL included.
    private static func push(_ bytes: [UInt8], as type: CInt, to stack: OpaquePointer) throws(CertificateError) {
        guard bytes.allSatisfy({ $0 < 128 }) else { throw .unacceptableRequest }
        guard let string = unsafe ASN1_STRING_type_new(V_ASN1_IA5STRING) else { throw .library }
        guard unsafe ASN1_STRING_set(string, bytes, CInt(clamping: bytes.count)) == 1 else {
            unsafe ASN1_STRING_free(string)
            throw .library
        }
        unsafe try push(string, as: type, to: stack)
    }

    /// Adds a name and takes `string` over.
    private static func push(
        _ string: UnsafeMutablePointer<ASN1_STRING>, as type: CInt, to stack: OpaquePointer
    ) throws(CertificateError) {
        guard let name = unsafe GENERAL_NAME_new() else {
            unsafe ASN1_STRING_free(string)
            throw .library
        }
        unsafe GENERAL_NAME_set0_value(name, type, string)
        guard unsafe OPENSSL_sk_push(stack, UnsafeRawPointer(name)) > 0 else {
            unsafe GENERAL_NAME_free(name)
            throw .library
        }
    }
}
