public import Bytes
public import Cryptography
public import Identity
public import TLS

/// How the gateway speaks TLS with an upstream: whom it trusts, whom it expects, and as whom it comes.
public struct UpstreamTLS: Sendable {
    /// The authorities that alone may vouch for the upstream; at least one, and never the system's.
    public var authorities: [Certificate]
    /// The name in the handshake, and in the certificate where no SPIFFE IDs are expected; nothing: the target's host.
    public var serverName: String?
    /// The workloads that the upstream may be, all of one trust domain; none: it is known by its host name.
    public var spiffeIDs: [SPIFFEID]
    /// What the gateway presents where the upstream asks.
    public var identity: ServerCertificate?

    /// Makes settings of their parts.
    public init(
        authorities: [Certificate], serverName: String? = nil, spiffeIDs: [SPIFFEID] = [],
        identity: ServerCertificate? = nil
    ) {
        self.authorities = authorities
        self.serverName = serverName
        self.spiffeIDs = spiffeIDs
        self.identity = identity
    }

    /// Makes the context of one worker for connections to a target.
    ///
    /// - Parameters:
    ///   - host: the target's, an IPv6 address without brackets.
    ///   - applicationProtocols: offered in this order.
    public func context(
        forHost host: String, applicationProtocols: [ApplicationProtocol]
    ) throws(TLSError) -> TLSContext {
        let name = serverName ?? host
        let anchors = try TrustAnchors(
            trustDomain: spiffeIDs.first?.trustDomain ?? "upstream", certificates: authorities)
        return try TLSContext(
            trusting: anchors, identity: identity,
            expecting: spiffeIDs.isEmpty ? .host(name) : .spiffe(Set(spiffeIDs)), serverName: name,
            applicationProtocols: applicationProtocols)
    }

    /// A digest of all settings: connections made under different ones are never taken for each other.
    public func digest() throws(TLSError) -> Digest256 {
        var scope = TLSScope()
        scope.add("server name", serverName ?? "")
        for authority in authorities { scope.add("authority", authority.facts.fingerprint) }
        for identifier in spiffeIDs { scope.add("spiffe", identifier.text) }
        for certificate in identity?.chain ?? [] { scope.add("identity", certificate.facts.fingerprint) }
        return try scope.digest()
    }
}

extension UpstreamTLS: Equatable {
    /// Whether all settings are the same: certificates by their bytes.
    public static func == (left: UpstreamTLS, right: UpstreamTLS) -> Bool {
        fingerprints(left.authorities) == fingerprints(right.authorities) && left.serverName == right.serverName
            && left.spiffeIDs == right.spiffeIDs
            && fingerprints(left.identity?.chain) == fingerprints(right.identity?.chain)
    }

    private static func fingerprints(_ certificates: [Certificate]?) -> [Digest256]? {
        certificates?.map(\.facts.fingerprint)
    }
}
