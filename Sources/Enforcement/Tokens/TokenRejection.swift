/// Why an access token is refused.
public enum TokenRejection: Error, Equatable, Sendable {
    /// None of the issuer's audiences is among the token's.
    case audience
    /// The token speaks of delegation, which nothing here can check.
    case delegationUnsupported
    /// Its time is over.
    case expired
    /// A claim has the wrong type, or a value that we do not accept.
    case invalid(RegisteredClaim)
    /// It was issued in the future.
    case issuedInFuture
    /// Nobody configured its issuer.
    case issuer
    /// It is no signature that we accept.
    case jws(JWSError)
    /// It lives longer than its issuer may let it.
    case lifetime
    /// A claim that must be there is not.
    case missing(RegisteredClaim)
    /// Its time has not come.
    case notYetValid
    /// The payload is not strict JSON, or not an object.
    case payload
    /// Its issuer follows a profile that is not built.
    case profile
    /// Its subject is of a trust domain that its issuer may not name.
    case trustDomain
    /// Its `typ` says that it is something else.
    case type

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .audience: "token.audience"
        case .delegationUnsupported: "token.delegation-unsupported"
        case .expired: "token.expired"
        case .invalid(let claim): "token.claim-invalid." + claim.rawValue
        case .issuedInFuture: "token.issued-in-future"
        case .issuer: "token.issuer"
        case .jws(let error): "token." + error.word
        case .lifetime: "token.lifetime"
        case .missing(let claim): "token.claim-missing." + claim.rawValue
        case .notYetValid: "token.not-yet-valid"
        case .payload: "token.payload"
        case .profile: "token.profile"
        case .trustDomain: "token.trust-domain"
        case .type: "token.type"
        }
    }
}
