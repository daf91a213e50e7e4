public import Bytes
public import Delegation
public import HTTP
public import Possession
public import Revocation
public import Tokens

/// Evidence that a request may pass by a route: every condition of the route holds, of a token that was verified, is
/// possessed by who sent it by proofs that were not used before, and is not revoked.
///
/// Only ``Clearance/permit(_:)`` makes one.
public struct Permit: ~Copyable {
    /// The route.
    public let route: Route
    /// The grant that covers what the route asks for; nothing where it asks for none.
    public let grant: ScopeGrant?
    /// What the token says.
    public let claims: TokenClaims
    /// The proofs of possession that hold.
    public let possession: PossessionMethods

    fileprivate init(route: Route, grant: ScopeGrant?, claims: TokenClaims, possession: PossessionMethods) {
        self.route = route
        self.grant = grant
        self.claims = claims
        self.possession = possession
    }
}

/// Evidence that a request may pass by a route if its proofs were not used before: all that is left to find out.
///
/// Only ``Route/clear(token:possession:unrevoked:target:now:)`` makes one.
public struct Clearance: ~Copyable {
    /// The grant that covers what the route asks for; nothing where it asks for none.
    public let grant: ScopeGrant?
    private let route: Route
    private let claims: TokenClaims
    private let possession: PossessionMethods

    fileprivate init(route: Route, grant: ScopeGrant?, claims: TokenClaims, possession: PossessionMethods) {
        self.route = route
        self.grant = grant
        self.claims = claims
        self.possession = possession
    }

    /// Lets the request pass, whose proofs are used up by now.
    public consuming func permit(_ novelty: consuming ProofNovelty) -> Permit {
        // The evidence has done its work by being here.
        _ = consume novelty
        return Permit(route: route, grant: grant, claims: claims, possession: possession)
    }
}

extension Route {
    /// Decides whether a request of this route may pass.
    ///
    /// - Parameters:
    ///   - token: verified.
    ///   - possession: the proofs that hold for that token.
    ///   - unrevoked: evidence that nothing of it is revoked.
    ///   - target: the one that this route was found with.
    ///   - now: the time.
    /// - Throws: the first condition that does not hold: issuer, possession, delegation, sponsor, claims, scope, step-up;
    ///   ``PolicyDenial/route`` where this route is not for `target` at all.
    public func clear(
        token: borrowing VerifiedToken, possession: borrowing VerifiedPossession, unrevoked: consuming Unrevoked,
        target: borrowing NormalizedTarget, now: UnixTime
    ) throws(PolicyDenial) -> Clearance {
        let claims = token.claims
        let grant = try judge(claims, possession: possession.methods, at: target, now: now)
        return Clearance(route: self, grant: grant, claims: claims, possession: possession.methods)
    }

    /// The same on plain values: the grant that covers what the route asks for, if it asks for one.
    func judge(
        _ claims: TokenClaims, possession methods: PossessionMethods, at target: borrowing NormalizedTarget,
        now: UnixTime
    ) throws(PolicyDenial) -> ScopeGrant? {
        guard match.path.matches(target) else { throw .route }
        guard takesTokens(of: claims.issuer) else { throw .issuer }
        guard !accepted.isDisjoint(with: methods) else { throw .possession }
        guard claims.delegationDepth <= requirement.maximumDelegationDepth else { throw .delegation }
        guard !requirement.requiresSponsor || claims.sponsor != nil else { throw .sponsor }
        for rule in requirement.claims {
            guard rule.holds(for: claims.retained[rule.name]) else { throw .claim(rule.name) }
        }
        let grant = try grant(of: claims, at: target)
        // Last: who has not the right to pass needs not be authenticated anew for it.
        guard isAuthenticated(claims, now: now) else { throw .stepUp }
        return grant
    }

    /// How far the clock of who authenticated the human may be ahead.
    private static let clockAllowance = Interval.seconds(30)

    /// The grant that covers what the route asks for, or nothing where it asks for none.
    private func grant(
        of claims: TokenClaims, at target: borrowing NormalizedTarget
    ) throws(PolicyDenial) -> ScopeGrant? {
        guard let scope = requirement.scope else { return nil }
        if let capabilities = claims.capabilities {
            guard let call = scope.call(at: target, of: match.path), capabilities.allow(call) else { throw .scope }
            return scope.grant(at: target, of: match.path)
        }
        for grant in claims.grants where scope.isCovered(by: grant, at: target, of: match.path) { return grant }
        throw .scope
    }

    /// Whether the human was authenticated in one of the ways, and lately enough; a token that does not say so does not
    /// show it.
    private func isAuthenticated(_ claims: TokenClaims, now: UnixTime) -> Bool {
        if !requirement.authenticationContexts.isEmpty {
            guard let context = claims.authenticationContext,
                requirement.authenticationContexts.contains(where: { context.utf8.span.equals(utf8: $0) })
            else { return false }
        }
        guard let maximumAge = requirement.maximumAuthenticationAge else { return true }
        guard let authenticatedAt = claims.authenticatedAt else { return false }
        // A time to come would stay recent for as long as the token likes.
        return authenticatedAt <= now + Self.clockAllowance && now - authenticatedAt <= maximumAge
    }

    /// Whether the route takes tokens of that issuer.
    ///
    /// Compared by bytes: the equality of strings would take two spellings of a character for one.
    public func takesTokens(of issuer: String) -> Bool {
        let actual = issuer.utf8.span
        for wanted in requirement.issuers where actual.equals(utf8: wanted) { return true }
        return false
    }
}
