public import Bytes
import Cryptography

/// What a token's `cnf` claim demands of its bearer (RFC 7800 §3).
public struct Confirmations: Equatable, Sendable {
    /// The certificate that must have authenticated the connection (`x5t#S256`, RFC 8705 §3.1).
    public let certificate: Digest256?
    /// The thumbprint of the key that must have signed a proof (`jkt`, RFC 9449 §6.1).
    public let key: Digest256?
    /// The key that must have signed a proof (`jwk`, RFC 7800 §3.2).
    public let publicKey: BoundKey?
    /// Whether the bearer must prove what we cannot check: then nobody may use the token.
    ///
    /// So it is where `cnf` names a confirmation that we know of but cannot check (`jwe`, `jku`, `kid`, `osc`, `x5t`), or
    /// names none that we can.
    public let demandsUnsupported: Bool
    /// Whether the token has a `cnf` claim at all.
    public let isPresent: Bool

    /// Of a token without the claim: a bearer token.
    public static let none = Confirmations(certificate: nil, key: nil, demandsUnsupported: false, isPresent: false)

    init(
        certificate: Digest256?, key: Digest256?, publicKey: BoundKey? = nil, demandsUnsupported: Bool, isPresent: Bool
    ) {
        self.certificate = certificate
        self.key = key
        self.publicKey = publicKey
        self.demandsUnsupported = demandsUnsupported
        self.isPresent = isPresent
    }

    /// The thumbprint of the key that a proof must be by: `jkt`, or that of `jwk`.
    ///
    /// Where a token names both, both must hold: then this is only the one.
    public var boundThumbprint: Digest256? { key ?? publicKey?.publicKey.thumbprint }
}
