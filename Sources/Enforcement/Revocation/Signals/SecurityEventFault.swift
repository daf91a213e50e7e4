public import Tokens

/// Why a security event token is refused.
public enum SecurityEventFault: Error, Equatable, Sendable {
    /// None of its audiences is ours.
    case audience
    /// A claim is missing or has a value that we do not accept.
    case claim(String)
    /// It has a claim that it must not have: it could be taken for another kind of token (RFC 8417 §4).
    case forbidden(String)
    /// It was issued in the future.
    case issuedInFuture
    /// It is of another issuer.
    case issuer
    /// It is no signature that we accept.
    case jws(JWSError)
    /// The payload is not strict JSON, or not an object.
    case payload
    /// An event takes back something that it does not name, or names wrongly.
    case subject(String)
    /// Its `typ` says that it is something else, or nothing.
    case type

    /// What RFC 8935 §2.4 calls it.
    public var code: String {
        switch self {
        case .audience: "invalid_audience"
        case .issuer: "invalid_issuer"
        case .jws(.algorithm), .jws(.key), .jws(.keyAlgorithm), .jws(.signature): "invalid_key"
        case .claim, .forbidden, .issuedInFuture, .jws, .payload, .subject, .type: "invalid_request"
        }
    }

    /// Whether the same token may be accepted once other keys are known: its transmitter must not take it for settled.
    public var isUnsettled: Bool { self == .jws(.key) }
}

extension SecurityEventFault: CustomStringConvertible {
    /// One phrase for the operator and the transmitter; nothing of what was sent.
    public var description: String {
        switch self {
        case .audience: "its aud does not name us"
        case .claim(let name): "its \(name) is missing or wrong"
        case .forbidden(let name): "it has \(name), which a security event token must not have"
        case .issuedInFuture: "it was issued in the future"
        case .issuer: "its iss is another one"
        case .jws(let error): "its signature is refused: \(error.word)"
        case .payload: "its payload is not JSON"
        case .subject(let reason): reason
        case .type: "its typ is not secevent+jwt"
        }
    }
}
