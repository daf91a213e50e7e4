public import Delegation

/// Why a token is refused, or why nothing can be said about it yet.
public enum TokenRejection: Error, Equatable, Sendable {
    /// None of the issuer's audiences is among the token's.
    case audience
    /// There is a chain of tokens beside a token that none belongs to.
    case chainUnexpected
    /// The token speaks of delegation in a way that tokens of its kind do not.
    case delegationUnsupported
    /// Its time is over.
    case expired
    /// Its issuer was asked, and says that it is not valid (RFC 7662 §2.2).
    case inactive
    /// A claim has the wrong type, or a value that we do not accept.
    case invalid(RegisteredClaim)
    /// Its issuer was asked, and its answer is none (RFC 7662 §2.2): nothing can be said about the token.
    case introspectionAnswer
    /// Only its issuer, at that place of the table, can say whether it is valid: ask, and ``TokenVerifier`` will know.
    case introspectionNeeded(issuer: Int)
    /// It was issued in the future.
    case issuedInFuture
    /// Nobody configured its issuer.
    case issuer
    /// More than one issuer could have issued a token about that workload, and the token does not say which.
    case issuerAmbiguous
    /// It is no signature that we accept.
    case jws(JWSError)
    /// The issuer at that place of the table has published no key of that identifier, as far as we know: it may have since.
    case keyUnknown(issuer: Int)
    /// The keys of the issuer at that place of the table have not been fetched yet, or are too old.
    case keysMissing(issuer: Int)
    /// It lives longer than its issuer may let it.
    case lifetime
    /// The chain through which it came to the agent that holds it does not hold.
    case lineage(LineageFault)
    /// A claim that must be there is not.
    case missing(RegisteredClaim)
    /// Its time has not come.
    case notYetValid
    /// It is no JWT, and there is not exactly one issuer to ask about it.
    case opaque
    /// The payload is not strict JSON, or not an object.
    case payload
    /// Its issuer issues tokens of another kind.
    case profile
    /// Its subject is of a trust domain that its issuer may not name.
    case trustDomain
    /// Its `typ`, or its issuer, says that it is something else.
    case type

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .audience: "token.audience"
        case .chainUnexpected: "token.chain-unexpected"
        case .delegationUnsupported: "token.delegation-unsupported"
        case .expired: "token.expired"
        case .inactive: "token.inactive"
        case .introspectionAnswer: "token.introspection-answer"
        case .introspectionNeeded: "token.introspection-needed"
        case .invalid(let claim): "token.claim-invalid." + claim.rawValue
        case .issuedInFuture: "token.issued-in-future"
        case .issuer: "token.issuer"
        case .issuerAmbiguous: "token.issuer-ambiguous"
        case .jws(let error): "token." + error.word
        case .keyUnknown: "token.key-unknown"
        case .keysMissing: "token.keys-missing"
        case .lifetime: "token.lifetime"
        case .lineage(let fault): fault.reason
        case .missing(let claim): "token.claim-missing." + claim.rawValue
        case .notYetValid: "token.not-yet-valid"
        case .opaque: "token.opaque"
        case .payload: "token.payload"
        case .profile: "token.profile"
        case .trustDomain: "token.trust-domain"
        case .type: "token.type"
        }
    }

    /// Whether it says nothing against the token, only that its issuer could not be heard.
    public var isUnavailability: Bool {
        switch self {
        case .introspectionAnswer, .introspectionNeeded, .keysMissing: true
        default: false
        }
    }
}
