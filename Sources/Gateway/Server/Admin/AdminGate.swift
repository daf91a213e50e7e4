import Bytes
import Configuration
import Identity
import Policy
import TLS

/// Who may administer over TCP: TLS 1.3, a certificate of the operators' trust domain, and a name that is allowed.
struct AdminGate {
    let context: TLSContext
    private let policy: TrustDomainPolicy
    private let allowed: [AgentPattern]

    init(_ settings: AdminTLS) throws {
        do {
            policy = try TrustDomainPolicy(
                mode: .spiffe,
                bundles: [(trustDomain: settings.trustDomain, certificates: settings.bundle)])
            // No resumption: operators come rarely, and each time their certificate is judged from the start.
            context = try TLSContext(
                certificates: [settings.certificate], minimumVersion: .v13, applicationProtocols: [.http11],
                demand: .required, policy: policy)
        } catch {
            throw GatewayError("admin.tls cannot be set up (\(error)); check its files")
        }
        allowed = settings.allowed
    }

    /// The client of a session whose handshake is done.
    func peer(of session: TLSSession) throws(CertificateRefusal) -> VerifiedPeer {
        guard let certificate = session.peerCertificate else { throw CertificateRefusal("certificate.missing") }
        return try policy.peer(certificate)
    }

    /// Whether the peer is one of those who may administer.
    func allows(_ peer: VerifiedPeer) -> SPIFFEID? {
        guard let identifier = peer.spiffeID, peer.provesSPIFFEID,
            allowed.contains(where: { $0.matches(identifier) })
        else { return nil }
        return identifier
    }
}
