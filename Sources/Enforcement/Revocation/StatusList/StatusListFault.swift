public import Compression
public import Tokens

/// Why a status list is refused.
public enum StatusListFault: Error, Equatable, Sendable {
    /// A claim is missing or has a value that we do not accept.
    case claim(String)
    /// The statuses cannot be expanded.
    case compression(CompressionError)
    /// It says that it has expired.
    case expired
    /// It was issued in the future.
    case issuedInFuture
    /// It is of another issuer.
    case issuer
    /// It is no signature that we accept.
    case jws(JWSError)
    /// It was issued before the one that is known.
    case older
    /// The payload is not strict JSON, or not an object.
    case payload
    /// It is the list of another URI.
    case subject
    /// Its `typ` says that it is something else, or nothing.
    case type
}

extension StatusListFault: CustomStringConvertible {
    /// One phrase for the operator, to follow the list's URI.
    public var description: String {
        switch self {
        case .claim(let name): "its \(name) is missing or wrong"
        case .compression(.tooLarge): "it expands to more than \(StatusListToken.maximumByteCount >> 20) MiB"
        case .compression: "its lst cannot be expanded"
        case .expired: "it has expired"
        case .issuedInFuture: "it was issued in the future"
        case .issuer: "its iss is another one"
        case .jws(let error): "its signature is refused: \(error.word)"
        case .older: "it is older than the one that is known"
        case .payload: "its payload is not JSON"
        case .subject: "its sub is another URI"
        case .type: "its typ is not statuslist+jwt"
        }
    }
}
