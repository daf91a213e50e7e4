import Bytes
import COpenSSL
import Cryptography
import Testing

/// An OCSP responder that is the authority itself.
struct TrialResponder {
    private let authority: CertificateAuthority

    init(_ authority: CertificateAuthority) {
        self.authority = authority
    }

    /// A signed response about one certificate.
    func response(
        for leaf: Certificate, status: CInt, from start: UnixTime, to end: UnixTime?
    ) throws -> [UInt8] {
        let basic = unsafe try #require(OCSP_BASICRESP_new())
        defer { unsafe OCSP_BASICRESP_free(basic) }
        let identifier = unsafe leaf.withUnsafeHandle { leaf in
            unsafe authority.certificate.withUnsafeHandle { unsafe OCSP_cert_to_id(nil, leaf, $0) }
        }
        defer { unsafe OCSP_CERTID_free(identifier) }
        let thisUpdate = unsafe ASN1_GENERALIZEDTIME_set(nil, Int(start.seconds))
        defer { unsafe ASN1_GENERALIZEDTIME_free(thisUpdate) }
        let nextUpdate = unsafe end.flatMap { unsafe ASN1_GENERALIZEDTIME_set(nil, Int($0.seconds)) }
        defer { unsafe ASN1_GENERALIZEDTIME_free(nextUpdate) }
        unsafe try #require(
            OCSP_basic_add1_status(
                basic, identifier, status, OCSP_REVOKED_STATUS_NOSTATUS, thisUpdate, thisUpdate, nextUpdate)
                != nil)
        let isSigned = unsafe authority.certificate.withUnsafeHandle { signer in
            unsafe authority.key.withUnsafeHandle { key in
                unsafe OCSP_basic_sign(basic, signer, key, EVP_sha256(), nil, 0) == 1
            }
        }
        try #require(isSigned)
        let response = unsafe try #require(OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic))
        defer { unsafe OCSP_RESPONSE_free(response) }
        var start: UnsafeMutablePointer<UInt8>?
        let count = unsafe i2d_OCSP_RESPONSE(response, &start)
        let bytes = unsafe try #require(start)
        defer { unsafe CRYPTO_free(bytes, nil, 0) }
        return unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
    }
}
