public import Cryptography
public import TLS

extension ServerIdentity {
    /// An X509-SVID for one of these names: names of hosts are not looked at (X509-SVID §5).
    public static func spiffe(_ identifiers: Set<SPIFFEID>) -> ServerIdentity {
        .judged(by: UpstreamIdentities(identifiers))
    }
}

/// The workloads that a server may be.
public final class UpstreamIdentities: ServerCertificatePolicy {
    private let identifiers: Set<SPIFFEID>

    /// Makes the judgement; an empty set admits nobody.
    public init(_ identifiers: Set<SPIFFEID>) {
        self.identifiers = identifiers
    }

    /// Throws where `leaf` is no X509-SVID, or that of another workload.
    public func admit(_ leaf: CertificateFacts) throws(CertificateRefusal) {
        let identifier: SPIFFEID
        do { identifier = try X509SVID.identifier(of: leaf) } catch { throw CertificateRefusal(error.reason) }
        guard identifiers.contains(identifier) else { throw CertificateRefusal("svid.unexpected") }
    }
}
