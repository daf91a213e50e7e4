/// Why a compact JWS is refused, whatever it carries (RFC 7515 §5.2, RFC 8725).
public enum JWSError: Error, Equatable, Sendable {
    /// The algorithm is unknown, or not one that may be used here.
    case algorithm
    /// The header lists extensions that must be understood (`crit`), or asks for an unencoded payload (`b64`).
    case critical
    /// It has five parts: it is encrypted, not signed.
    case encrypted
    /// The header is not strict JSON, or a member has the wrong type.
    case header
    /// The key set has no key of that identifier, or none that can be told without one.
    case key
    /// The key may not be used with that algorithm.
    case keyAlgorithm
    /// It is not three parts of canonical base64url with a header and a signature.
    case malformed
    /// The signature does not verify.
    case signature

    /// The last word of the reason that the audit record bears.
    public var word: String {
        switch self {
        case .algorithm: "algorithm"
        case .critical: "critical"
        case .encrypted: "encrypted"
        case .header: "header"
        case .key: "key"
        case .keyAlgorithm: "key-algorithm"
        case .malformed: "malformed"
        case .signature: "signature"
        }
    }
}
