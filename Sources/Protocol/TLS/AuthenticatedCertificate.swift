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

    fileprivate init(facts: CertificateFacts, trustDomain: String) {
        self.facts = facts
        self.trustDomain = trustDomain
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
        let code = unsafe path.validate(leaf, others, now: now.seconds)
        guard code == X509_V_OK else { throw CertificateRefusal(PathValidation.reason(of: code)) }
        let certificate = AuthenticatedCertificate(facts: facts, trustDomain: anchors.trustDomain)
        try policy.admit(certificate, now: now)
        return certificate
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
