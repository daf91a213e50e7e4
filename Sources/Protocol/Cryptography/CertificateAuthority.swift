public import Bytes

/// A certificate with the key that signs others in its name: for the trial set-up and for tests.
public struct CertificateAuthority: Sendable {
    /// The authority's own certificate.
    public let certificate: Certificate
    /// The key of that certificate.
    public let key: PrivateKey

    /// Makes an authority of a certificate and its key.
    public init(certificate: Certificate, key: PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    /// Makes a self-signed authority with a new P-256 key.
    ///
    /// - Parameters:
    ///   - commonName: the only part of its name.
    ///   - uri: its one URI, such as `spiffe://example.org` (which has no path, X509-SVID §5.2).
    ///   - validity: the first and the last moment of validity, in whole seconds.
    public static func make(
        commonName: String, uri: String? = nil, validFor validity: ClosedRange<UnixTime>
    ) throws(CertificateError) -> CertificateAuthority {
        let key: PrivateKey
        do { key = try PrivateKey.generate(.ellipticCurve(.p256)) } catch { throw .key(error) }
        let request = CertificateRequest(
            publicKey: key.publicKey, commonName: commonName, uris: uri.map { [$0] } ?? [],
            notBefore: validity.lowerBound, notAfter: validity.upperBound, isCertificateAuthority: true,
            keyUsage: KeyUsage([.keyCertSign, .crlSign]), extendedKeyUsages: nil)
        let certificate = try CertificateWriter.write(request, issuer: nil, signedBy: key)
        return CertificateAuthority(certificate: certificate, key: key)
    }

    /// Issues a certificate with a random serial number of 128 bits.
    public func issue(_ request: CertificateRequest) throws(CertificateError) -> Certificate {
        try CertificateWriter.write(request, issuer: certificate, signedBy: key)
    }
}
