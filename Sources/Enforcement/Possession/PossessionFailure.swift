/// Why a request does not prove that its token is its own.
public enum PossessionFailure: Error, Equatable, Sendable {
    /// The connection was authenticated by another certificate than the token names.
    case certificateMismatch
    /// The connection was authenticated by no certificate, and the token needs one.
    case certificateMissing
    /// The proof was made by another key than the token names.
    case keyMismatch
    /// The token needs a proof by its key, and the request bears none.
    case proofMissing
    /// The certificate is an X509-SVID of somebody else than the token's subject.
    case subjectMismatch
    /// The token names nothing that could be proven: whoever finds it could use it.
    case unbound
    /// The token demands a proof that cannot be checked.
    case unsupported

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String {
        switch self {
        case .certificateMismatch: "possession.certificate-mismatch"
        case .certificateMissing: "possession.certificate-missing"
        case .keyMismatch: "possession.key-mismatch"
        case .proofMissing: "possession.proof-missing"
        case .subjectMismatch: "possession.subject-mismatch"
        case .unbound: "possession.unbound"
        case .unsupported: "possession.unsupported"
        }
    }
}
