/// One subject alternative name, its bytes as they stand in the certificate (RFC 5280 §4.2.1.6).
///
/// They are bytes, not text, so that an embedded NUL or a character beyond ASCII is seen by whoever judges the name.
public enum AlternativeName: Equatable, Sendable {
    /// A uniformResourceIdentifier.
    case uri([UInt8])
    /// A dNSName.
    case dns([UInt8])
    /// An rfc822Name.
    case email([UInt8])
    /// An iPAddress: 4 or 16 bytes, if it is sound.
    case ipAddress([UInt8])
    /// A name of any other type, which nobody here reads.
    case other
}
