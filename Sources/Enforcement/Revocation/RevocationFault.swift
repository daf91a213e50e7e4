/// Why something cannot be revoked as it was named.
public enum RevocationFault: Error, CaseIterable, Equatable, Sendable {
    /// Who asks for it is named in no readable way.
    case actor
    /// It would end before it begins.
    case expiry
    /// The value is the SHA-256 of nothing: whatever made it found no certificate.
    case emptyFingerprint
    /// The value is no SHA-256 of a certificate.
    case fingerprint
    /// The issuer is missing.
    case issuerMissing
    /// The issuer is empty, too long or not printable ASCII.
    case issuerText
    /// There is an issuer where none belongs.
    case issuerUnexpected
    /// The reason is too long or holds control characters.
    case reason
    /// The value is no serial number.
    case serial
    /// The source is not named in a readable way.
    case source
    /// The value sets out to be a SPIFFE ID, but is none.
    case spiffeID
    /// The value is no thumbprint of a key.
    case thumbprint
    /// The value is empty, too long or not printable ASCII.
    case valueText
    /// The value is not the sign for everything.
    case wildcard

    /// A sentence for the operator, which says what to write instead.
    public var sentence: String {
        switch self {
        case .actor: "who revokes must be named in at most \(Revocation.maximumLength) bytes without control characters"
        case .expiry: "the expiry must lie in the future"
        case .emptyFingerprint: "that is the SHA-256 of nothing: there was no certificate to hash; look at its file"
        case .fingerprint:
            "a certificate is named by 64 lower-case hexadecimal digits, the SHA-256 of its DER, or by a serial number and an issuer"
        case .issuerMissing: "a token is named by its identifier (jti) and its issuer: the issuer is missing"
        case .issuerText:
            "the issuer must be 1 to \(Revocation.maximumLength) characters of printable ASCII, without spaces unless it is of a certificate"
        case .issuerUnexpected: "an issuer belongs to tokens and to certificates that are named by a serial number only"
        case .reason: "the reason must be text of at most \(Revocation.maximumLength) bytes without control characters"
        case .serial: "a certificate's serial number is 1 to 64 hexadecimal digits"
        case .source: "the source must be 1 to 256 characters of visible ASCII"
        case .spiffeID: "the value begins like a SPIFFE ID, but is none: spiffe://TRUST-DOMAIN/PATH"
        case .thumbprint: "a key is named by its RFC 7638 thumbprint: 43 characters of base64url"
        case .valueText:
            "the value must be 1 to \(Revocation.maximumLength) characters of visible ASCII, without spaces"
        case .wildcard: "everything is named by the value *"
        }
    }
}

extension RevocationFault: CustomStringConvertible {
    /// The sentence for the operator.
    public var description: String { sentence }
}
