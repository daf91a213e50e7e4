public import Bytes

/// What a certificate authority is asked to certify.
public struct CertificateRequest: Sendable {
    /// The key to certify.
    public var publicKey: PublicKey
    /// The only part of the subject's name; nothing: the subject is empty and the alternative names are critical.
    public var commonName: String?
    /// URIs among the alternative names, such as a SPIFFE ID.
    public var uris: [String]
    /// DNS names among the alternative names.
    public var dnsNames: [String]
    /// IP addresses among the alternative names, version 4 or 6, in their usual text.
    public var ipAddresses: [String]
    /// Mail addresses among the alternative names.
    public var emails: [String]
    /// The first moment of validity, in whole seconds.
    public var notBefore: UnixTime
    /// The last moment of validity, in whole seconds.
    public var notAfter: UnixTime
    /// Whether the key may sign certificates.
    public var isCertificateAuthority: Bool
    /// What the key may be used for; nothing: the extension is left out.
    public var keyUsage: KeyUsage?
    /// The extended key usages as dotted OIDs; nothing: the extension is left out.
    public var extendedKeyUsages: [String]?

    /// The OID of TLS servers (RFC 5280 §4.2.1.12).
    public static let serverAuthentication = "1.3.6.1.5.5.7.3.1"
    /// The OID of TLS clients (RFC 5280 §4.2.1.12).
    public static let clientAuthentication = "1.3.6.1.5.5.7.3.2"

    /// Makes a request; what is left out fits a leaf that is server and client, as X509-SVIDs are.
    public init(
        publicKey: PublicKey, commonName: String? = nil, uris: [String] = [], dnsNames: [String] = [],
        ipAddresses: [String] = [], emails: [String] = [], notBefore: UnixTime, notAfter: UnixTime,
        isCertificateAuthority: Bool = false, keyUsage: KeyUsage? = KeyUsage(.digitalSignature),
        extendedKeyUsages: [String]? = [serverAuthentication, clientAuthentication]
    ) {
        self.publicKey = publicKey
        self.commonName = commonName
        self.uris = uris
        self.dnsNames = dnsNames
        self.ipAddresses = ipAddresses
        self.emails = emails
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.isCertificateAuthority = isCertificateAuthority
        self.keyUsage = keyUsage
        self.extendedKeyUsages = extendedKeyUsages
    }
}
