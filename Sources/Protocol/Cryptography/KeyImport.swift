import Bytes
import COpenSSL
import CShims

extension KeyComponents {
    /// Makes an `EVP_PKEY` of the numbers, without any decoder: the caller owns it.
    func importPublicKey() throws(KeyError) -> OpaquePointer {
        switch self {
        case .ellipticCurve(let curve, let x, let y): unsafe try Self.importPoint(of: curve, [4] + x + y)
        case .rsa(let modulus, let exponent): unsafe try Self.importRSA(modulus: modulus, exponent: exponent)
        case .ed25519(let x): unsafe try Self.importEd25519(x)
        }
    }

    /// OpenSSL checks, when it reads the point, that coordinates are reduced and satisfy the equation; cofactors are 1.
    private static func importPoint(of curve: EllipticCurve, _ point: [UInt8]) throws(KeyError) -> OpaquePointer {
        var point = point
        let group = unsafe UnsafeMutablePointer(mutating: cString(curve.groupName))
        return unsafe try point.withUnsafeMutableBufferPointer { (point) throws(KeyError) in
            unsafe try importKey(
                type: "EC",
                [
                    OSSL_PARAM_construct_utf8_string(cString("group"), group, 0),
                    OSSL_PARAM_construct_octet_string(cString("pub"), point.baseAddress, point.count),
                ])
        }
    }

    private static func importRSA(modulus: [UInt8], exponent: [UInt8]) throws(KeyError) -> OpaquePointer {
        var modulus = try nativeOrder(modulus)
        var exponent = try nativeOrder(exponent)
        return unsafe try modulus.withUnsafeMutableBufferPointer { (modulus) throws(KeyError) in
            unsafe try exponent.withUnsafeMutableBufferPointer { (exponent) throws(KeyError) in
                unsafe try importKey(
                    type: "RSA",
                    [
                        OSSL_PARAM_construct_BN(cString("n"), modulus.baseAddress, modulus.count),
                        OSSL_PARAM_construct_BN(cString("e"), exponent.baseAddress, exponent.count),
                    ])
            }
        }
    }

    private static func importEd25519(_ x: [UInt8]) throws(KeyError) -> OpaquePointer {
        var x = x
        return unsafe try x.withUnsafeMutableBufferPointer { (x) throws(KeyError) in
            unsafe try importKey(
                type: "ED25519", [OSSL_PARAM_construct_octet_string(cString("pub"), x.baseAddress, x.count)])
        }
    }

    private static func importKey(type: StaticString, _ parameters: [OSSL_PARAM]) throws(KeyError) -> OpaquePointer {
        unsafe try LibraryErrors.contained { () throws(KeyError) in
            guard let context = unsafe EVP_PKEY_CTX_new_from_name(nil, cString(type), nil) else { throw .library }
            defer { unsafe EVP_PKEY_CTX_free(context) }
            var parameters = unsafe parameters + [OSSL_PARAM_construct_end()]
            var key: OpaquePointer?
            guard unsafe EVP_PKEY_fromdata_init(context) == 1 else { throw .library }
            let isImported = unsafe EVP_PKEY_fromdata(context, &key, sp_evp_pkey_public_key(), &parameters) == 1
            if isImported, let key = unsafe key { return unsafe key }
            unsafe EVP_PKEY_free(key)
            throw LibraryErrors.drain(lookingFor: EC_R_POINT_IS_NOT_ON_CURVE, of: ERR_LIB_EC) ? .notOnCurve : .malformed
        }
    }

    /// A big-endian number in the byte order of this machine, as `OSSL_PARAM` wants it.
    private static func nativeOrder(_ number: [UInt8]) throws(KeyError) -> [UInt8] {
        guard let value = unsafe BN_bin2bn(number, CInt(number.count), nil) else { throw .library }
        defer { unsafe BN_free(value) }
        var native = [UInt8](repeating: 0, count: number.count)
        guard unsafe BN_bn2nativepad(value, &native, CInt(native.count)) >= 0 else { throw .library }
        return native
    }
}

/// The terminated bytes of a literal, at an address that stays: `OSSL_PARAM` keeps pointers to its names.
func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}
