public import Tokens

/// Why a DPoP proof is refused (RFC 9449 §4.3).
public enum DPoPRejection: Error, Equatable, Sendable {
    /// It is over by its own `exp`.
    case expired
    /// It was made in the future.
    case future
    /// A claim has the wrong type, or a value that nobody may use.
    case invalid(DPoPClaim)
    /// It is no JWS that we accept.
    case jws(JWSError)
    /// The `jwk` is missing, malformed, weak or of a kind that is not supported.
    case key
    /// The key is another than the token is bound to.
    case keyBinding
    /// The key says that it is not for verifying signatures.
    case keyUse
    /// The method is another than the request's.
    case method
    /// A claim that must be there is not.
    case missing(DPoPClaim)
    /// The field holds more than one value, or white space.
    case multiple
    /// Its time has not come by its own `nbf`.
    case notYetValid
    /// It was made too long ago.
    case past
    /// The payload is not strict JSON.
    case payload
    /// The `jwk` shows a private key.
    case privateKey
    /// The `jwk` is a symmetric key.
    case symmetricKey
    /// It was made for another token.
    case token
    /// Its `typ` says that it is something else.
    case type
    /// It was made for another URI.
    case uri

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .expired: "dpop.expired"
        case .future: "dpop.iat-future"
        case .invalid(let claim): "dpop.claim-invalid." + claim.rawValue
        case .jws(let error): "dpop." + error.word
        case .key: "dpop.key"
        case .keyBinding: "dpop.jkt"
        case .keyUse: "dpop.key-use"
        case .method: "dpop.htm"
        case .missing(let claim): "dpop.claim-missing." + claim.rawValue
        case .multiple: "dpop.multiple"
        case .notYetValid: "dpop.not-yet-valid"
        case .past: "dpop.iat-past"
        case .payload: "dpop.payload"
        case .privateKey: "dpop.private-key"
        case .symmetricKey: "dpop.symmetric-key"
        case .token: "dpop.ath"
        case .type: "dpop.type"
        case .uri: "dpop.htu"
        }
    }
}

/// A claim of a proof that we act on (RFC 9449 §4.2).
public enum DPoPClaim: String, CaseIterable, Sendable {
    /// The SHA-256 of the access token.
    case accessTokenHash = "ath"
    /// The time from which on the proof is void.
    case expiry = "exp"
    /// The method of the request.
    case method = "htm"
    /// The URI of the request.
    case uri = "htu"
    /// The time at which the proof was made.
    case issuedAt = "iat"
    /// The identifier of the proof.
    case identifier = "jti"
    /// What the server asked to be repeated.
    case nonce = "nonce"
    /// The time before which the proof is void.
    case notBefore = "nbf"
}
