import Bytes
public import Cryptography
import TLS

/// The revocation lists of one trust domain that are known now.
public struct TrustDomainLists: Sendable {
    /// The lists, in the order in which they were read; none: nothing is known yet.
    public let lists: [CertificateRevocationList]
    /// Whether clients are refused while the lists about them have expired, or none was ever read.
    public let deniesWhenStale: Bool

    /// The lists by the names of their issuers.
    private let byIssuer: [String: [CertificateRevocationList]]

    /// Makes what is known.
    public init(_ lists: [CertificateRevocationList], deniesWhenStale: Bool = true) {
        self.lists = lists
        self.deniesWhenStale = deniesWhenStale
        byIssuer = Dictionary(grouping: lists) { IssuerName.normalized($0.issuer) }
    }

    /// Throws where any certificate of a validated path is revoked, or where that cannot be told of the client's own.
    ///
    /// A list counts for a certificate if it is about it, and if the very authority that signed the certificate signed it. The
    /// client's certificate must be covered by one; an authority's is checked where one is there (RFC 5280 §6.3).
    func check(_ certificate: AuthenticatedCertificate, now: UnixTime) throws(CertificateRefusal) {
        // What was never heard is as old as it can be.
        if lists.isEmpty, !deniesWhenStale { return }
        var isExpired = false
        var subject = certificate.facts
        for (place, authority) in certificate.authorities.enumerated() {
            let applicable = applicable(to: subject, signedBy: authority)
            if applicable.isEmpty, place == 0 { throw CertificateRefusal("certificate.crl-missing") }
            if applicable.contains(where: { $0.lists(serialNumber: subject.serialNumber) }) {
                throw CertificateRefusal("certificate.revoked")
            }
            if !applicable.isEmpty, applicable.allSatisfy({ $0.isExpired(at: now) }) { isExpired = true }
            subject = authority.facts
        }
        // A certificate that is its own anchor was signed by nobody who could take it back.
        if certificate.authorities.isEmpty { throw CertificateRefusal("certificate.crl-missing") }
        if isExpired, deniesWhenStale { throw CertificateRefusal("certificate.crl-expired") }
    }

    private func applicable(
        to subject: CertificateFacts, signedBy authority: Certificate
    ) -> [CertificateRevocationList] {
        guard let lists = byIssuer[IssuerName.normalized(subject.issuer)] else { return [] }
        return lists.filter { $0.isAbout(subject) && $0.isSigned(by: authority) }
    }
}

/// The revocation lists that one listener judges by: immutable, published whole.
public struct RevocationListTable: Sendable {
    private let domains: [String: TrustDomainLists]

    /// No trust domain has lists.
    public static let none = RevocationListTable([:])

    /// Makes a table.
    ///
    /// - Parameter domains: what is known, by the names of the trust domains that have lists; clients of others are not judged
    ///   by any.
    public init(_ domains: [String: TrustDomainLists]) {
        self.domains = domains
    }

    /// Whether no trust domain has lists.
    public var isEmpty: Bool { domains.isEmpty }

    /// What is known of a trust domain that has lists.
    public subscript(trustDomain: String) -> TrustDomainLists? { domains[trustDomain] }
}
