import COpenSSL

extension KeyComponents {
    /// Reads the public numbers of a key pair whose halves belong together.
    init(readFrom key: OpaquePointer) throws(KeyError) {
        self = try LibraryErrors.contained { () throws(KeyError) in
            let components = unsafe try Self.components(of: key)
            try components.validate()
            guard unsafe Self.isPair(key) else { throw .malformed }
            return components
        }
    }

    /// Reads the numbers of a public key, such as a certificate's.
    init(readPublicFrom key: OpaquePointer) throws(KeyError) {
        self = try LibraryErrors.contained { () throws(KeyError) in
            let components = unsafe try Self.components(of: key)
            try components.validate()
            return components
        }
    }

    private static func components(of key: OpaquePointer) throws(KeyError) -> KeyComponents {
        if unsafe EVP_PKEY_is_a(key, "EC") == 1 {
            let curve = unsafe try curve(of: key)
            let count = curve.coordinateByteCount
            return .ellipticCurve(
                curve, x: unsafe try number("qx", of: key, byteCount: count),
                y: unsafe try number("qy", of: key, byteCount: count))
        }
        if unsafe EVP_PKEY_is_a(key, "RSA") == 1 {
            return .rsa(modulus: unsafe try number("n", of: key), exponent: unsafe try number("e", of: key))
        }
        guard unsafe EVP_PKEY_is_a(key, "ED25519") == 1 else { throw .unsupported }
        var x = [UInt8](repeating: 0, count: 32)
        var count = x.count
        guard unsafe EVP_PKEY_get_raw_public_key(key, &x, &count) == 1, count == x.count else { throw .malformed }
        return .ed25519(x)
    }

    private static func curve(of key: OpaquePointer) throws(KeyError) -> EllipticCurve {
        var name = [CChar](repeating: 0, count: 64)
        var count = 0
        guard unsafe EVP_PKEY_get_group_name(key, &name, name.count, &count) == 1 else { throw .unsupported }
        let text = String(decoding: name.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        guard let curve = EllipticCurve.allCases.first(where: { "\($0.groupName)" == text }) else {
            throw .unsupported
        }
        return curve
    }

    /// A number of the key, big-endian: padded to `byteCount`, or else without leading zeros.
    private static func number(
        _ name: StaticString, of key: OpaquePointer, byteCount: Int? = nil
    ) throws(KeyError) -> [UInt8] {
        var value: OpaquePointer?
        guard unsafe EVP_PKEY_get_bn_param(key, cString(name), &value) == 1 else { throw .malformed }
        defer { unsafe BN_clear_free(value) }
        let count = unsafe byteCount ?? Int(BN_num_bits(value) + 7) / 8
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe BN_bn2binpad(value, &bytes, CInt(count)) == CInt(count) else { throw .malformed }
        return bytes
    }

    private static func isPair(_ key: OpaquePointer) -> Bool {
        guard let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil) else { return false }
        defer { unsafe EVP_PKEY_CTX_free(context) }
        return unsafe EVP_PKEY_pairwise_check(context) == 1
    }
}
