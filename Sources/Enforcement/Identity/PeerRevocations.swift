public import Bytes
public import TLS

/// What a handshake asks about revocations: whether a client may still be let in.
public protocol PeerRevocations: Sendable {
    /// Throws where any of the names is revoked.
    func check(_ names: [RevocationName], now: UnixTime) throws(CertificateRefusal)
}
