public import Bytes
internal import COpenSSL
public import Cryptography

/// Why a file cannot be stapled to a certificate.
public enum OCSPStapleError: Error, Equatable, Sendable {
    /// It is no OCSP response in DER, or bytes follow it.
    case malformed
    /// The responder did not answer the question (RFC 6960 §4.2.1): `tryLater`, for instance.
    case unsuccessful
    /// None of its answers is about the certificate.
    case otherCertificate
    /// It says that the certificate is revoked.
    case revoked
    /// It says that the responder does not know the certificate.
    case unknown
    /// Its times cannot be read.
    case invalidTime
}

/// What an OCSP responder said of one of our certificates (RFC 6960), to be sent with it (RFC 6066 §8).
///
/// The responder's signature is not verified here: that is for the client, whose judgement it serves.
public struct OCSPStaple: Equatable, Sendable {
    /// The response in DER.
    public let bytes: [UInt8]
    /// From when it is true.
    public let thisUpdate: UnixTime
    /// When newer information will be there; nothing: always.
    public let nextUpdate: UnixTime?

    /// Reads a response that says that `leaf` is good.
    public init(der bytes: [UInt8], for leaf: Certificate) throws(OCSPStapleError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let times = try Self.read(bytes, leaf)
        self.bytes = bytes
        thisUpdate = times.thisUpdate
        nextUpdate = times.nextUpdate
    }

    /// Whether it says something of `now`: a client refuses one that does not.
    public func isCurrent(at now: UnixTime) -> Bool {
        thisUpdate <= now && nextUpdate.map { now <= $0 } ?? true
    }

    private typealias Times = (thisUpdate: UnixTime, nextUpdate: UnixTime?)

    private static func read(_ bytes: [UInt8], _ leaf: Certificate) throws(OCSPStapleError) -> Times {
        var consumed = 0
        let parsed = unsafe bytes.withUnsafeBufferPointer { buffer in
            var next = buffer.baseAddress
            let parsed = unsafe d2i_OCSP_RESPONSE(nil, &next, buffer.count)
            consumed = unsafe next.flatMap { next in unsafe buffer.baseAddress.map { unsafe next - $0 } } ?? 0
            return unsafe parsed
        }
        guard let response = unsafe parsed else { throw .malformed }
        defer { unsafe OCSP_RESPONSE_free(response) }
        guard consumed == bytes.count else { throw .malformed }
        guard unsafe OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL else { throw .unsuccessful }
        guard let basic = unsafe OCSP_response_get1_basic(response) else { throw .malformed }
        defer { unsafe OCSP_BASICRESP_free(basic) }
        for index in unsafe 0..<max(0, OCSP_resp_count(basic)) {
            guard let single = unsafe OCSP_resp_get0(basic, index), unsafe isAbout(leaf, single) else { continue }
            return unsafe try times(of: single)
        }
        throw .otherCertificate
    }

    /// Whether an answer names the serial number and the issuer of `leaf` (RFC 6960 §4.1.1).
    private static func isAbout(_ leaf: Certificate, _ single: OpaquePointer) -> Bool {
        var nameHash: UnsafeMutablePointer<ASN1_OCTET_STRING>?
        var algorithm: OpaquePointer?
        var serial: UnsafeMutablePointer<ASN1_INTEGER>?
        let identifier = unsafe OCSP_SINGLERESP_get0_id(single)
        guard unsafe OCSP_id_get0_info(&nameHash, &algorithm, nil, &serial, identifier) == 1,
            let nameHash = unsafe nameHash,
            let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm)))
        else { return false }
        return unsafe leaf.withUnsafeHandle { leaf in
            guard unsafe ASN1_INTEGER_cmp(X509_get0_serialNumber(leaf), serial) == 0 else { return false }
            var hash = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
            var count: UInt32 = 0
            guard unsafe X509_NAME_digest(X509_get_issuer_name(leaf), digest, &hash, &count) == 1 else { return false }
            let said = unsafe Span(
                _unsafeStart: ASN1_STRING_get0_data(nameHash), count: Int(ASN1_STRING_length(nameHash)))
            return said.equals(hash.span.extracting(0..<Int(count)))
        }
    }

    private static func times(of single: OpaquePointer) throws(OCSPStapleError) -> Times {
        var reason: CInt = 0
        var revokedAt: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var thisUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var nextUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        switch unsafe OCSP_single_get0_status(single, &reason, &revokedAt, &thisUpdate, &nextUpdate) {
        case V_OCSP_CERTSTATUS_GOOD: break
        case V_OCSP_CERTSTATUS_REVOKED: throw .revoked
        default: throw .unknown
        }
        guard let thisUpdate = unsafe thisUpdate else { throw .invalidTime }
        guard let nextUpdate = unsafe nextUpdate else { return unsafe (try moment(thisUpdate), nil) }
        return unsafe (try moment(thisUpdate), try moment(nextUpdate))
    }

    /// The difference to the epoch: OpenSSL gives it in days and seconds whatever the year.
    private static func moment(_ time: UnsafePointer<ASN1_TIME>) throws(OCSPStapleError) -> UnixTime {
        guard let epoch = unsafe ASN1_TIME_set(nil, 0) else { throw .invalidTime }
        defer { unsafe ASN1_TIME_free(epoch) }
        var days: CInt = 0
        var seconds: CInt = 0
        guard unsafe ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { throw .invalidTime }
        return UnixTime(seconds: Int64(days) * 86_400 + Int64(seconds))
    }
}
