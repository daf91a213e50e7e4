public import Configuration
public import Policy
public import Revocation
public import Tokens

/// Everything that a decision is made from: immutable, published whole, adopted by a worker between two events.
public final class EnforcementSnapshot: Sendable {
    /// Counts the configurations that this process has loaded, from 1.
    public let generation: UInt64
    /// Whose tokens are believed.
    public let issuers: IssuerTable
    /// What may be called.
    public let routes: RouteTable
    /// What has been taken back.
    public let revocations: RevocationSnapshot
    /// The bounds of requests.
    public let limits: Limits

    /// Gathers a snapshot.
    public init(
        generation: UInt64, issuers: IssuerTable, routes: RouteTable, revocations: RevocationSnapshot, limits: Limits
    ) {
        self.generation = generation
        self.issuers = issuers
        self.routes = routes
        self.revocations = revocations
        self.limits = limits
    }
}
