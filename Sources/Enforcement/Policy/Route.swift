public import Bytes
public import HTTP
public import Limits
public import Possession

/// A way through the gateway: for which requests, on what conditions, where to.
public final class Route: Sendable {
    /// Its name, unique in a configuration.
    public let name: String
    /// Which requests it is for.
    public let match: RouteMatch
    /// What they must show.
    public let requirement: RouteRequirement
    /// What the upstream is told.
    public let forwarding: ForwardingRule
    /// The name of the upstream.
    public let upstream: String
    /// The protocols that a connection may be upgraded to, as `Upgrade` names them, in lower case.
    public let upgrades: [String]
    /// How much may be asked of it, or nothing.
    public let limits: LimitScope?
    /// How long a call may go on after its token or certificate has expired.
    public let expiryGrace: Interval
    /// What serves as proof of possession.
    public let possessionRule: PossessionRule
    /// The proofs of which one must hold, as a set of bits.
    public let accepted: PossessionMethods

    /// Makes a route.
    ///
    /// - Precondition: the scope was read with the parameters of the path.
    public init(
        name: String, match: RouteMatch, requirement: RouteRequirement, forwarding: ForwardingRule, upstream: String,
        upgrades: [String] = [], limits: LimitScope? = nil, expiryGrace: Interval = .zero
    ) {
        if let scope = requirement.scope {
            precondition(scope.parameters == match.path.parameterNames, "the scope is of another path")
        }
        self.name = name
        self.match = match
        self.requirement = requirement
        self.forwarding = forwarding
        self.upstream = upstream
        self.upgrades = upgrades
        self.limits = limits
        self.expiryGrace = expiryGrace
        possessionRule = PossessionRule(
            svidServesAsConfirmation: requirement.possession.contains(.svid),
            allowsSubjectMismatch: requirement.allowsSubjectMismatch)
        accepted = PossessionMethods(requirement.possession)
    }

    /// Whether a connection may be upgraded to a protocol, named in lower case.
    public func allowsUpgrade(to token: Span<UInt8>) -> Bool {
        for upgrade in upgrades where token.equals(utf8: upgrade) { return true }
        return false
    }

    /// The scope that the route asks for at `target`, for a challenge; empty where it asks for none.
    ///
    /// Bytes of the path that a scope cannot hold stand percent-encoded.
    public func requiredScope(target: borrowing NormalizedTarget) -> String {
        guard let scope = requirement.scope, match.path.matches(target) else { return "" }
        return scope.filled(at: target, of: match.path)
    }
}
