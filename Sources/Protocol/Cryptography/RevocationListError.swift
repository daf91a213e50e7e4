/// Why bytes are not a revocation list that can be used.
public enum RevocationListError: Error, Equatable, Sendable {
    /// It is signed by an algorithm that is not used here: SHA-1, RSASSA-PSS, or one that nobody knows.
    case algorithm
    /// It holds changes to another list only (RFC 5280 §5.2.4).
    case delta
    /// An extension appears twice.
    case duplicateExtension
    /// It lists certificates of other issuers (RFC 5280 §5.2.5), or entries name their issuer.
    case indirect
    /// The bytes are not one list in DER, or the text is broken PEM.
    case malformed
    /// There is no list at all.
    case noList
    /// It does not say when it ends (RFC 5280 §5.1.2.5).
    case noNextUpdate
    /// It is for some reasons, attribute certificates, or a place that has no URI, only.
    case partial
    /// It or an entry has an extension that must be understood and is not.
    case unknownExtension
}

extension RevocationListError: CustomStringConvertible {
    /// One phrase for the operator, which completes "the list …".
    public var description: String {
        switch self {
        case .algorithm: "is signed by an algorithm that is not used here; sign it with SHA-256, 384 or 512"
        case .delta: "is a delta list; publish complete ones"
        case .duplicateExtension: "has an extension twice"
        case .indirect: "is an indirect list; each issuer has to publish its own"
        case .malformed: "cannot be read; write PEM with X509 CRL blocks, or DER"
        case .noList: "is not there; write PEM with X509 CRL blocks, or DER"
        case .noNextUpdate: "does not say when it ends (nextUpdate); publish one that does"
        case .partial: "is for some reasons or certificates only; publish complete ones"
        case .unknownExtension: "has a critical extension that is not known here"
        }
    }
}
