public import Tokens

/// Why a Workload Proof Token is refused (draft-ietf-wimse-wpt §2).
public enum WPTRejection: Error, Equatable, Sendable {
    /// It was made for another access token.
    case accessToken
    /// Its algorithm is not the one that the workload token's key names.
    case algorithm
    /// It was made for another target.
    case audience
    /// Its time is over.
    case expired
    /// It was made in the future.
    case future
    /// A claim has the wrong type, or a value that nobody may use.
    case invalid(WPTClaim)
    /// It is no JWS that we accept.
    case jws(JWSError)
    /// It lives longer than a proof may.
    case lifetime
    /// A claim that must be there is not.
    case missing(WPTClaim)
    /// The field holds more than one value, or white space.
    case multiple
    /// Its time has not come by its own `nbf`.
    case notYetValid
    /// It speaks of a further token that is not in the request once, or is another there.
    case otherToken
    /// The payload is not strict JSON.
    case payload
    /// It was made for another transaction token.
    case transactionToken
    /// Its `typ` says that it is something else.
    case type
    /// It speaks of a token that is not in the request.
    case unexpected(WPTClaim)
    /// It was made for another workload token.
    case workloadToken

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .accessToken: "wpt.ath"
        case .algorithm: "wpt.alg"
        case .audience: "wpt.aud"
        case .expired: "wpt.expired"
        case .future: "wpt.iat-future"
        case .invalid(let claim): "wpt.claim-invalid." + claim.rawValue
        case .jws(let error): "wpt." + error.word
        case .lifetime: "wpt.lifetime"
        case .missing(let claim): "wpt.claim-missing." + claim.rawValue
        case .multiple: "wpt.multiple"
        case .notYetValid: "wpt.not-yet-valid"
        case .otherToken: "wpt.oth"
        case .payload: "wpt.payload"
        case .transactionToken: "wpt.tth"
        case .type: "wpt.type"
        case .unexpected(let claim): "wpt.claim-unexpected." + claim.rawValue
        case .workloadToken: "wpt.wth"
        }
    }
}

/// A claim of a Workload Proof Token that we act on (draft-ietf-wimse-wpt §2).
public enum WPTClaim: String, CaseIterable, Sendable {
    /// The SHA-256 of the access token.
    case accessTokenHash = "ath"
    /// The target URI of the request, or another name for it.
    case audience = "aud"
    /// The time from which on the proof is void.
    case expiry = "exp"
    /// The time at which the proof was made; the draft does not define it.
    case issuedAt = "iat"
    /// The identifier of the proof.
    case identifier = "jti"
    /// The time before which the proof is void; the draft does not define it.
    case notBefore = "nbf"
    /// The SHA-256 of other tokens of the request, by field name.
    case otherTokenHashes = "oth"
    /// The SHA-256 of the transaction token.
    case transactionTokenHash = "tth"
    /// The SHA-256 of the Workload Identity Token.
    case workloadTokenHash = "wth"
}
