public import Bytes
public import TLS

/// What is revoked of clients, as a handshake asks for it.
///
/// A higher floor holds the set that administrators and feeds fill; this floor knows only that it can be asked.
public protocol PeerRevocations: Sendable {
    /// Throws where any of the names under which a client may be revoked is revoked at `now`, with a reason such as
    /// `revocation.agent`, and where that cannot be told.
    func check(_ names: [RevocationName], now: UnixTime) throws(CertificateRefusal)
}
