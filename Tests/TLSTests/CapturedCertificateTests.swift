import Bytes
import Cryptography
@_spi(Explanation) import TLS
import Testing

private final class OneBundle: ClientCertificatePolicy {
    let anchors: TrustAnchors
    let refusal: String?

    init(_ certificates: [Certificate], refusal: String? = nil) throws {
        anchors = try TrustAnchors(trustDomain: "example.test", certificates: certificates)
        self.refusal = refusal
    }

    func anchors(for leaf: CertificateFacts) throws(CertificateRefusal) -> TrustAnchors {
        if let refusal { throw CertificateRefusal(refusal) }
        return anchors
    }

    func contribute(to scope: inout TLSScope) {}
}

@Suite("A captured certificate")
struct CapturedCertificateTests {
    private static let now = UnixTime(seconds: 1_800_000_000)
    private let authority: CertificateAuthority
    private let between: CertificateAuthority

    init() throws {
        let validity = Self.now - .seconds(3600)...Self.now + .seconds(86_400)
        authority = try CertificateAuthority.make(commonName: "agents", uri: nil, validFor: validity)
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        var request = CertificateRequest(
            publicKey: key.publicKey, commonName: "between", notBefore: validity.lowerBound,
            notAfter: validity.upperBound)
        request.isCertificateAuthority = true
        request.keyUsage = KeyUsage([.keyCertSign], isCritical: true)
        request.extendedKeyUsages = nil
        between = CertificateAuthority(certificate: try authority.issue(request), key: key)
    }

    private func leaf(of authority: CertificateAuthority, usages: [String]? = nil) throws -> Certificate {
        let key = try PrivateKey.generate(.ellipticCurve(.p256))
        var request = CertificateRequest(
            publicKey: key.publicKey, uris: ["spiffe://example.test/agent"], notBefore: Self.now - .seconds(60),
            notAfter: Self.now + .seconds(600))
        if let usages { request.extendedKeyUsages = usages }
        return try authority.issue(request)
    }

    /// The trust domain that vouches for the chain, or why none does.
    private func judge(
        _ chain: [Certificate], trusting anchors: [Certificate]? = nil, refusal: String? = nil, now: UnixTime = now
    ) throws -> String {
        let policy = try OneBundle(anchors ?? [authority.certificate], refusal: refusal)
        do throws(CertificateRefusal) {
            return try AuthenticatedCertificate.assumingPossession(of: chain, policy: policy, now: now).trustDomain
        } catch {
            return error.reason
        }
    }

    @Test("One that the bundle vouches for is good, and the facts are its own")
    func good() throws {
        let leaf = try leaf(of: authority)
        #expect(try judge([leaf]) == "example.test")
        let policy = try OneBundle([authority.certificate])
        let judged = try AuthenticatedCertificate.assumingPossession(of: [leaf], policy: policy, now: Self.now)
        #expect(judged.facts == leaf.facts)
    }

    @Test("What lies between it and the bundle must come along, unless it is of the bundle itself")
    func path() throws {
        let leaf = try leaf(of: between)
        #expect(try judge([leaf, between.certificate]) == "example.test")
        #expect(try judge([leaf]) == "certificate.untrusted")
        #expect(try judge([leaf], trusting: [between.certificate]) == "example.test")
    }

    @Test("The path is told from the certificate to the anchor")
    func authorities() throws {
        func path(_ chain: [Certificate], trusting anchors: [Certificate]) throws -> [CertificateFacts] {
            let policy = try OneBundle(anchors)
            return try AuthenticatedCertificate.assumingPossession(of: chain, policy: policy, now: Self.now).path
        }
        let (leaf, root) = (try leaf(of: between), authority.certificate)
        let stranger = try self.leaf(of: authority)
        #expect(
            try path([leaf, stranger, between.certificate], trusting: [root])
                == [leaf, between.certificate, root].map(\.facts))
        #expect(
            try path([leaf, between.certificate], trusting: [between.certificate])
                == [leaf, between.certificate].map(\.facts))
    }

    @Test(
        "Its time is that of the question",
        arguments: [(-61, "certificate.not-yet-valid"), (601, "certificate.expired")])
    func time(_ seconds: Int64, _ reason: String) throws {
        let leaf = try leaf(of: authority)
        #expect(try judge([leaf], now: Self.now + .seconds(seconds)) == reason)
        #expect(try judge([leaf], now: Self.now + .seconds(seconds > 0 ? 599 : -60)) == "example.test")
    }

    @Test("One that is for servers only is not for clients")
    func purpose() throws {
        let server = CertificateRequest.serverAuthentication
        let client = CertificateRequest.clientAuthentication
        #expect(try judge([leaf(of: authority, usages: [server])]) == "certificate.purpose")
        #expect(try judge([leaf(of: authority, usages: [client])]) == "example.test")
    }

    @Test("A stranger's, none at all, and one that the policy refuses are refused")
    func refused() throws {
        let validity = Self.now - .seconds(3600)...Self.now + .seconds(86_400)
        let stranger = try CertificateAuthority.make(commonName: "agents", uri: nil, validFor: validity)
        let leaf = try leaf(of: authority)
        #expect(try judge([leaf], trusting: [stranger.certificate]) != "example.test")
        #expect(try judge([]) == "certificate.malformed")
        #expect(try judge([leaf], refusal: "svid.no-uri") == "svid.no-uri")
    }
}
