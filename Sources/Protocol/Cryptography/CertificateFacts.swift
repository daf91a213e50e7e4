public import Bytes

/// What a certificate says, as plain values; nothing in it has been believed yet.
public struct CertificateFacts: Equatable, Sendable {
    /// The SHA-256 of the DER: `x5t#S256` (RFC 8705 §3.1).
    public var fingerprint: Digest256
    /// The certificate in DER, for RFC 9440.
    public var der: [UInt8]
    /// The serial number in lower-case hexadecimal, two digits a byte, with a minus sign where it is negative.
    public var serialNumber: String
    /// The first moment at which it is valid.
    public var notBefore: UnixTime
    /// The last moment at which it is valid; a date beyond the year 2262 is held there.
    public var notAfter: UnixTime
    /// The subject's name in the one-line form of RFC 2253, for people.
    public var subject: String
    /// The name of the authority that it says signed it, in the same form.
    public var issuer: String
    /// Whether the subject's name has no parts.
    public var subjectIsEmpty: Bool
    /// Whether the basic constraints say `cA`.
    public var isCertificateAuthority: Bool
    /// What the key may be used for; nothing: the extension is absent.
    public var keyUsage: KeyUsage?
    /// The extended key usages as dotted OIDs; nothing: the extension is absent.
    public var extendedKeyUsages: [String]?
    /// The subject alternative names, in order; empty where the extension is absent too.
    public var alternativeNames: [AlternativeName]
    /// Whether the extension of the alternative names is marked critical.
    public var alternativeNamesAreCritical: Bool
    /// The RFC 7638 thumbprint of its key; nothing where the key is of a kind or size that no JWK here may have.
    public var keyThumbprint: Digest256?
    /// The URIs of its distribution points for revocation lists, in order (RFC 5280 §4.2.1.13); points that are limited to
    /// some reasons, or to another issuer's lists, are left out.
    public var distributionPoints: [[UInt8]]

    /// Makes facts from values; what is left out is what a plain leaf without extensions would say.
    public init(
        fingerprint: Digest256 = .zero, der: [UInt8] = [], serialNumber: String = "01",
        notBefore: UnixTime, notAfter: UnixTime, subject: String = "", subjectIsEmpty: Bool = true, issuer: String = "",
        isCertificateAuthority: Bool = false, keyUsage: KeyUsage? = nil, extendedKeyUsages: [String]? = nil,
        alternativeNames: [AlternativeName] = [], alternativeNamesAreCritical: Bool = false,
        keyThumbprint: Digest256? = nil, distributionPoints: [[UInt8]] = []
    ) {
        self.fingerprint = fingerprint
        self.der = der
        self.serialNumber = serialNumber
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.subject = subject
        self.subjectIsEmpty = subjectIsEmpty
        self.issuer = issuer
        self.isCertificateAuthority = isCertificateAuthority
        self.keyUsage = keyUsage
        self.extendedKeyUsages = extendedKeyUsages
        self.alternativeNames = alternativeNames
        self.alternativeNamesAreCritical = alternativeNamesAreCritical
        self.keyThumbprint = keyThumbprint
        self.distributionPoints = distributionPoints
    }
}
