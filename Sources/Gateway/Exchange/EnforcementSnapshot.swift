public import Configuration
import Cryptography
public import Policy
import Possession
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

    /// What is demanded of proofs.
    public let possession: PossessionConfiguration
    /// The algorithms that proofs may be signed with, as a challenge lists them.
    public let proofAlgorithms: String

    /// Gathers a snapshot.
    public init(
        generation: UInt64, issuers: IssuerTable, routes: RouteTable, revocations: RevocationSnapshot, limits: Limits,
        possession: PossessionConfiguration = .standard
    ) {
        self.generation = generation
        self.issuers = issuers
        self.routes = routes
        self.revocations = revocations
        self.limits = limits
        self.possession = possession
        proofAlgorithms = possession.dpop.algorithms.map(\.rawValue).joined(separator: " ")
    }

    /// The same with other revocations.
    public func with(revocations: RevocationSnapshot, generation: UInt64) -> EnforcementSnapshot {
        EnforcementSnapshot(
            generation: generation, issuers: issuers, routes: routes, revocations: revocations, limits: limits,
            possession: possession)
    }

    /// The same with other keys of issuers.
    public func with(issuers: IssuerTable, generation: UInt64) -> EnforcementSnapshot {
        EnforcementSnapshot(
            generation: generation, issuers: issuers, routes: routes, revocations: revocations, limits: limits,
            possession: possession)
    }
}
