public import Bytes
public import Policy
public import Tokens

/// Everything that a gateway is told, checked: what `sallyport.yaml` and the files it names say.
///
/// It is immutable in use and shared by all workers; a reload makes another.
public struct GatewayConfiguration: Sendable {
    /// The number of worker threads, or nothing for one per core.
    public var workers: Int?
    /// The addresses that clients call; at least one.
    public var listeners: [ListenerConfiguration]
    /// The issuers whose tokens count, with their keys.
    public var issuers: [TokenIssuer]
    /// The routes, first match first.
    public var routes: [Route]
    /// What is demanded of proofs of possession.
    public var possession: PossessionConfiguration
    /// The services behind the gateway.
    public var upstreams: [UpstreamConfiguration]
    /// How transaction tokens for the upstreams are signed, or nothing where none are issued.
    public var transactionTokens: TransactionTokenSettings?
    /// How revocations are kept and heard of, or nothing where there are none.
    public var revocation: RevocationConfiguration?
    /// Where decisions are recorded.
    public var audit: AuditConfiguration
    /// The address of `/healthz` and `/readyz`, or nothing where they are not served.
    public var observability: ListenAddress?
    /// Where operators administer the gateway, or nothing where they cannot.
    public var admin: AdminConfiguration?
    /// How much a client may ask.
    public var limits: Limits
    /// How long the gateway waits.
    public var timeouts: Timeouts
    /// The SHA-256 of the file's bytes.
    public var digest: Digest256
    /// What the operator should know although it is no error, a line each: `sallyport.yaml:12: key.path: …`.
    public var warnings: [String]
}
