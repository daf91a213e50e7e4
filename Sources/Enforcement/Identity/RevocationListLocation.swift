public import Bytes
public import Cryptography

/// Where the revocation lists of a trust domain come from.
public enum RevocationListLocation: Hashable, Sendable {
    /// A file, read again whenever it changes.
    case file(String)
    /// A URL, fetched again and again; the authority file is the PEM file of those that may vouch for its server, or nothing
    /// for the system's.
    case url(String, refreshInterval: Interval, authorityFile: String?)

    /// How often a list is fetched where nothing is configured.
    public static let standardRefreshInterval = Interval.seconds(300)
    /// The most bytes of a list, or of several in a file.
    public static let maximumByteCount = 64 << 20

    /// The path or the URL.
    public var text: String {
        switch self {
        case .file(let path): path
        case .url(let url, _, _): url
        }
    }
}

extension CertificateRevocationList {
    /// Whether one of `authorities` bears the name and the key that the list says it is of, and has not signed it.
    ///
    /// An issuer that is not among them may be one between an anchor and its clients: whether it signed the list shows when a
    /// client brings its certificate.
    public func isForged(among authorities: [Certificate]) -> Bool {
        let name = IssuerName.normalized(issuer)
        let named = authorities.filter { authority in
            guard IssuerName.normalized(authority.facts.subject) == name else { return false }
            guard let keyIdentifier, let other = authority.subjectKeyIdentifier else { return true }
            return keyIdentifier == other
        }
        return !named.isEmpty && !named.contains { isSigned(by: $0) }
    }
}
