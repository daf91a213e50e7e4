/// Why a certificate was refused, or could not be made.
public enum CertificateError: Error, Equatable, Sendable {
    /// An extension appears twice (RFC 5280 §4.2).
    case duplicateExtension
    /// A known extension does not hold what its type says.
    case invalidExtension
    /// A validity time is not a time (RFC 5280 §4.1.2.5).
    case invalidTime
    /// A key could not be made or is not fit to sign.
    case key(KeyError)
    /// OpenSSL failed for a reason that does not lie in the input, such as memory.
    case library
    /// The bytes are not one certificate in DER, or the text is broken PEM.
    case malformed
    /// The text holds no certificate at all.
    case noCertificate
    /// What a request asks for cannot be written into a certificate: a bad address, name, OID or time.
    case unacceptableRequest
}
