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
}
