import Bytes
import Delegation
import Identity
import JSON

extension ClaimReader {
    /// Reads all claims that a token of any kind may have; `sub` and `exp` it must have.
    ///
    /// - Parameters:
    ///   - origin: whose token it is.
    ///   - required: the claims that it must have beside those two.
    ///   - readsScopes: whether `scope` says anything in a token of this kind.
    ///   - actors: who acts for the subject, and who did before.
    ///   - lineage: through whom it came, where that is not through the actors.
    func claims(
        of origin: TokenOrigin, requiring required: Set<RegisteredClaim>, readingScopes readsScopes: Bool = true,
        actors: ActorChain? = nil, lineage: Lineage = .none
    ) throws(TokenRejection) -> TokenClaims {
        let issuer = origin.issuer
        let names = issuer.claimNames
        let subject = try text(.subject, .visible, atMost: 2048)
        for claim in required where !has(claim) { throw .missing(claim) }
        let claims = TokenClaims(
            issuer: issuer.issuer, issuerIndex: origin.index, profile: issuer.profile, subject: subject,
            subjectID: try Self.spiffeID(subject), tokenID: try textIfPresent(.tokenID, .visible),
            clientID: try textIfPresent(.clientID, .printable), issuedAt: try timeIfPresent(.issuedAt),
            expiresAt: try time(.expiry), notBefore: try timeIfPresent(.notBefore),
            scopes: readsScopes ? try scopes() : [], confirmations: try confirmations(),
            task: try text(named: names.task, .task, .visible),
            orchestration: try text(named: names.orchestration, .orchestration, .visible),
            sponsor: try text(named: names.sponsor, .sponsor, .text),
            authenticationContext: try textIfPresent(.authenticationContext, .visible),
            authenticatedAt: try timeIfPresent(.authenticationTime), retained: retained(issuer.retainedClaims),
            statusReference: try statusReference(), actor: actors?.current, actorID: actors?.currentID,
            lineage: actors?.lineage(of: subject) ?? lineage, signingKey: origin.signingKey)
        if has(.audience) {
            guard try isMeant(for: issuer.audiences) else { throw .audience }
        }
        try Self.checkLifetime(claims, origin)
        return claims
    }

    /// From `iat` to `exp`; a token without `iat` was issued when it was first seen, at the latest.
    private static func checkLifetime(_ claims: TokenClaims, _ origin: TokenOrigin) throws(TokenRejection) {
        let longest = origin.issuer.maximumTokenLifetime
        guard let issuedAt = claims.issuedAt else {
            guard claims.expiresAt - origin.now <= longest else { throw .lifetime }
            return
        }
        let lifetime = claims.expiresAt - issuedAt
        guard lifetime > .zero, lifetime <= longest else { throw .lifetime }
    }

    /// The claims of some names that have a value which can be compared.
    func retained(_ names: Set<String>) -> [String: ClaimValue] {
        var retained: [String: ClaimValue] = [:]
        for name in names {
            guard let value = value(named: name), let claim = ClaimValue(value) else { continue }
            retained[name] = claim
        }
        return retained
    }

    /// The subject as a SPIFFE ID, or nothing where it does not set out to be one.
    ///
    /// The name of a trust domain itself is refused: no workload bears it.
    private static func spiffeID(_ subject: String) throws(TokenRejection) -> SPIFFEID? {
        let bytes = subject.utf8.span
        let scheme = "spiffe:".utf8.count
        guard bytes.count >= scheme, bytes.extracting(0..<scheme).equalsIgnoringCase("spiffe:") else { return nil }
        guard let name = try? SPIFFEID(bytes), !name.path.isEmpty else { throw .invalid(.subject) }
        return name
    }
}
