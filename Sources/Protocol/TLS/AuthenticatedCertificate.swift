public import Bytes
internal import COpenSSL
public import Cryptography

/// A client's certificate whose path was validated against the anchors of one trust domain.
///
/// Only the verifier in this file makes one, so holding one is the evidence: in whatever serves, a ``TLSSession`` has it
/// only after the handshake in which the client proved to hold the certificate's key.
public struct AuthenticatedCertificate: Sendable {
    /// What the certificate says.
    public let facts: CertificateFacts
    /// The trust domain whose anchors vouched for it.
    public let trustDomain: String
    /// The authorities of its validated path: the first signed it, each later one the one before, and the last is the anchor.
    public let authorities: [Certificate]

    /// What every certificate of the validated path says: this one's first, the anchor's last.
    public var path: [CertificateFacts] { [facts] + authorities.map(\.facts) }

    fileprivate init(facts: CertificateFacts, trustDomain: String, authorities: [Certificate]) {
        self.facts = facts
        self.trustDomain = trustDomain
        self.authorities = authorities
    }
}

/// Validates a client's certificate path with the anchors that the policy names: the only mint of the evidence.
enum CertificateVerifier {
    /// - Parameters:
    ///   - leaf: the client's `X509`, which stays the caller's.
    ///   - others: a stack of the certificates that came with it, or nil; it stays the caller's too.
    ///   - policy: names the anchors, and has the last word.
    ///   - now: compared with the path's validity.
    static func verify(
        _ leaf: OpaquePointer, _ others: OpaquePointer?, policy: any ClientCertificatePolicy, now: UnixTime
    ) throws(CertificateRefusal) -> AuthenticatedCertificate {
        let facts: CertificateFacts
        do { facts = try unsafe Certificate.facts(ofUnsafeHandle: leaf) } catch {
            throw CertificateRefusal("certificate.malformed")
        }
        let anchors = try policy.anchors(for: facts)
        let path = PathValidation(anchors: anchors, role: .client)
        var authorities: [Certificate]?
        let code = unsafe path.validate(leaf, others, now: now.seconds) { stack in
            authorities = unsafe Self.authorities(in: stack, anchors)
        }
        guard code == X509_V_OK else { throw CertificateRefusal(PathValidation.reason(of: code)) }
        guard let authorities else { throw CertificateRefusal("certificate.malformed") }
        let certificate = AuthenticatedCertificate(
            facts: facts, trustDomain: anchors.trustDomain, authorities: authorities)
        try policy.admit(certificate, now: now)
        return certificate
    }

    /// What stands behind the leaf in a validated path; nothing where any of it cannot be read.
    ///
    /// An anchor in the path is the very object of the bundle, whose facts are known.
    private static func authorities(in path: OpaquePointer?, _ anchors: TrustAnchors) -> [Certificate]? {
        var authorities: [Certificate] = []
        for index in unsafe 1..<max(1, OPENSSL_sk_num(path)) {
            guard let handle = unsafe OpaquePointer(OPENSSL_sk_value(path, index)) else { return nil }
            let anchor = anchors.certificates.first { unsafe $0.withUnsafeHandle { $0 == handle } }
            guard let authority = unsafe try? anchor ?? Certificate(sharing: handle) else { return nil }
            authorities.append(authority)
        }
        return authorities
    }
}

extension AuthenticatedCertificate {
    /// Takes a captured certificate for one whose holder has shown up: for explaining a decision, never for making one.
    ///
    /// It validates the path as a handshake does (same anchors, purpose, flags, depth, security level and time), so what it
    /// says of the certificate is true. It does **not** know that anybody holds the key, which is the other half of what
    /// an ``AuthenticatedCertificate`` is evidence of. It may mint one all the same because nothing can come of it but text:
    /// the function is visible only to `@_spi(Explanation) import TLS`, which in anything that serves does not compile
    /// without that word, and a test of the house allows the word in the explanation's own files alone.
    ///
    /// - Parameters:
    ///   - chain: leaf first, then what the client would have sent with it.
    ///   - policy: names the anchors.
    ///   - now: compared with the validity of the path.
    @_spi(Explanation)
    public static func assumingPossession(
        of chain: [Certificate], policy: any ClientCertificatePolicy, now: UnixTime
    ) throws(CertificateRefusal) -> AuthenticatedCertificate {
        guard let leaf = chain.first else { throw CertificateRefusal("certificate.malformed") }
        let others = CertificateStack()
        for other in chain.dropFirst() { try others.push(other) }
        let result = unsafe leaf.withUnsafeHandle { leaf in
            Result { () throws(CertificateRefusal) in
                unsafe try CertificateVerifier.verify(leaf, others.handle, policy: policy, now: now)
            }
        }
        return try result.get()
    }
}
