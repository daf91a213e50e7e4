public import Cryptography

/// Why a certificate is not the X509-SVID of a workload.
public enum X509SVIDError: Error, Equatable, Sendable {
    /// The subject is empty and the alternative names are not critical.
    case alternativeNamesNotCritical
    /// The basic constraints say `cA`: a signing certificate never authenticates.
    case certificateAuthority
    /// The extended key usage lacks servers or clients.
    case extendedKeyUsage
    /// The one URI is not a SPIFFE ID.
    case identifier(SPIFFEIDError)
    /// The key usage is not critical.
    case keyUsageNotCritical
    /// The key usage does not allow digital signatures.
    case noDigitalSignature
    /// There is no key usage.
    case noKeyUsage
    /// The name is that of the trust domain itself: it has no path.
    case noPath
    /// There is no URI among the alternative names.
    case noURI
    /// There is more than one URI among the alternative names.
    case severalURIs
    /// The key usage allows signatures on certificates or revocation lists.
    case signingKeyUsage

    /// A stable word for records, such as `svid.several-uris`.
    public var reason: String {
        switch self {
        case .alternativeNamesNotCritical: "svid.alternative-names-not-critical"
        case .certificateAuthority: "svid.certificate-authority"
        case .extendedKeyUsage: "svid.extended-key-usage"
        case .identifier: "svid.identifier"
        case .keyUsageNotCritical: "svid.key-usage-not-critical"
        case .noDigitalSignature: "svid.no-digital-signature"
        case .noKeyUsage: "svid.no-key-usage"
        case .noPath: "svid.no-path"
        case .noURI: "svid.no-uri"
        case .severalURIs: "svid.several-uris"
        case .signingKeyUsage: "svid.signing-key-usage"
        }
    }
}

/// The rules by which a leaf certificate names a workload (X509-SVID §2 to §5).
///
/// They say nothing of who vouches for it: the path to the bundle of the name's trust domain is validated elsewhere.
public enum X509SVID {
    /// The name that `leaf` gives its holder, if it obeys every rule.
    public static func identifier(of leaf: CertificateFacts) throws(X509SVIDError) -> SPIFFEID {
        guard !leaf.isCertificateAuthority else { throw .certificateAuthority }
        try checkKeyUsage(of: leaf)
        try checkExtendedKeyUsage(of: leaf)
        guard !leaf.subjectIsEmpty || leaf.alternativeNamesAreCritical else { throw .alternativeNamesNotCritical }
        let uri = try onlyURI(of: leaf)
        let identifier: SPIFFEID
        do { identifier = try SPIFFEID(uri.span) } catch { throw .identifier(error) }
        guard !identifier.path.isEmpty else { throw .noPath }
        return identifier
    }

    /// The extension must be there and critical, and allow signatures, but none on certificates (X509-SVID §4.3).
    private static func checkKeyUsage(of leaf: CertificateFacts) throws(X509SVIDError) {
        guard let usage = leaf.keyUsage else { throw .noKeyUsage }
        guard usage.isCritical else { throw .keyUsageNotCritical }
        guard usage.purposes.isDisjoint(with: [.keyCertSign, .crlSign]) else { throw .signingKeyUsage }
        guard usage.purposes.contains(.digitalSignature) else { throw .noDigitalSignature }
    }

    /// Where the extension is there, it must name both ends of TLS (X509-SVID §4.4).
    private static func checkExtendedKeyUsage(of leaf: CertificateFacts) throws(X509SVIDError) {
        guard let usages = leaf.extendedKeyUsages else { return }
        guard usages.contains(CertificateRequest.serverAuthentication),
            usages.contains(CertificateRequest.clientAuthentication)
        else { throw .extendedKeyUsage }
    }

    private static func onlyURI(of leaf: CertificateFacts) throws(X509SVIDError) -> [UInt8] {
        var only: [UInt8]?
        for name in leaf.alternativeNames {
            guard case .uri(let uri) = name else { continue }
            guard only == nil else { throw .severalURIs }
            only = uri
        }
        guard let only else { throw .noURI }
        return only
    }
}
