import Bytes
public import HTTP
public import Possession
public import Revocation
public import Tokens

/// Evidence that a request may pass by a route: every condition of the route holds, of a token that was verified, is
/// possessed by who sent it, and is not revoked.
///
/// Only ``Route/permit(token:possession:unrevoked:target:)`` makes one.
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

extension Route {
    /// Decides whether a request of this route may pass.
    ///
    /// - Parameters:
    ///   - token: verified.
    ///   - possession: the proofs that hold for that token.
    ///   - unrevoked: evidence that nothing of it is revoked.
    ///   - target: the one that this route was found with.
    /// - Throws: the first condition that does not hold: issuer, possession, delegation, scope; ``PolicyDenial/route``
    ///   where this route is not for `target` at all.
    public func permit(
        token: borrowing VerifiedToken, possession: borrowing VerifiedPossession, unrevoked: consuming Unrevoked,
        target: borrowing NormalizedTarget
    ) throws(PolicyDenial) -> Permit {
        let claims = token.claims
        let grant = try judge(claims, possession: possession.methods, at: target)
        return Permit(route: self, grant: grant, claims: claims, possession: possession.methods)
    }

    /// The same on plain values: the grant that covers what the route asks for, if it asks for one.
    func judge(
        _ claims: TokenClaims, possession methods: PossessionMethods, at target: borrowing NormalizedTarget
    ) throws(PolicyDenial) -> ScopeGrant? {
        guard match.path.matches(target) else { throw .route }
        guard acceptsIssuer(claims.issuer) else { throw .issuer }
        guard !accepted.isDisjoint(with: methods) else { throw .possession }
        guard claims.delegationDepth <= requirement.maximumDelegationDepth else { throw .delegation }
        guard let scope = requirement.scope else { return nil }
        for grant in claims.grants where scope.isCovered(by: grant, at: target, of: match.path) { return grant }
        throw .scope
    }

    /// Compared by bytes: the equality of strings would take two spellings of a character for one.
    private func acceptsIssuer(_ issuer: String) -> Bool {
        let actual = issuer.utf8.span
        for wanted in requirement.issuers where actual.equals(utf8: wanted) { return true }
        return false
    }
}
