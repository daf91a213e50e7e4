public import Cryptography
public import Identity
public import Limits
public import Policy
public import ProxyProtocol
public import TLS

/// One address that clients call, with its certificates and the trust domains whose clients it lets in.
public struct ListenerConfiguration: Sendable {
    /// The name in logs and audit records.
    public var name: String
    /// Where it listens.
    public var address: ListenAddress
    /// The public origins: the only authorities that requests may carry.
    public var origins: [Origin]
    /// The protocols offered by ALPN, preferred first.
    public var protocols: [ApplicationProtocol]
    /// The certificates to choose from by SNI; the first is the default.
    public var certificates: [ServerCertificate]
    /// The oldest version of TLS that is spoken.
    public var minimumVersion: TLSVersion
    /// Whether sessions may be resumed with tickets that are bound to all that this listener demands.
    public var resumption: Bool
    /// Where the secrets of its sessions are written, so that anyone who reads the file can read the traffic.
    public var keyLogFile: String?
    /// Whether a client must present a certificate.
    public var clientCertificate: ClientCertificateDemand
    /// What a client's certificate must be.
    public var identity: IdentityMode
    /// The trust domains, each with the certificates that may vouch for its members; at least one.
    public var trustDomains: [TrustDomainConfiguration]
    /// What passes through it.
    public var mode = ListenerMode.http
    /// The peers whose connections must begin with a PROXY header, and who are believed what it says; others have none.
    public var proxyPeers: [AddressBlock] = []
    /// How much may be asked of it, or nothing.
    public var limits: LimitScope?
}

/// What passes through a listener.
public enum ListenerMode: Sendable {
    /// Requests, each judged by itself.
    case http
    /// The bytes of connections whose client is allowed, to one upstream.
    case tcp(upstream: String, rule: PassageRule)
}

/// A trust domain: its name, and the certificates that may vouch for its members.
public struct TrustDomainConfiguration: Sendable {
    /// The SPIFFE trust domain, or any label under `identity: any`.
    public var name: String
    /// The authorities; at least one.
    public var bundle: [Certificate]
    /// Where it is told which certificates are revoked, or nothing.
    public var revocationLists: RevocationListSource?
}

/// Where the revocation lists of a trust domain come from, and what was there when the configuration was read.
public struct RevocationListSource: Sendable {
    /// Where they come from.
    public var location: RevocationListLocation
    /// The lists that were read already: of a file all, of a URL none.
    public var lists: [CertificateRevocationList]
    /// Whether clients are refused while the lists about them have expired, or none was ever read.
    public var deniesWhenStale = true
}

extension ListenerConfiguration {
    /// The revocation lists that were read with the configuration; trust domains whose lists have to be fetched have none here.
    public var writtenRevocationLists: RevocationListTable {
        var domains: [String: TrustDomainLists] = [:]
        for domain in trustDomains {
            guard let source = domain.revocationLists, case .file = source.location else { continue }
            domains[domain.name] = TrustDomainLists(source.lists, deniesWhenStale: source.deniesWhenStale)
        }
        return RevocationListTable(domains)
    }
}
