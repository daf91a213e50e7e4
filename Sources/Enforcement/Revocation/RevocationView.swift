public import Bytes
public import Identity
import Synchronization
public import TLS

/// What the handshakes of one worker see of revocations: the snapshot that the worker adopted last.
///
/// Its worker alone asks it and writes to it, so that the lock is never waited for. A handshake is refused for what is revoked,
/// not because a feed is stale: that is for the judgement of requests and passages, which can say so.
public final class RevocationView: PeerRevocations {
    private let snapshot: Mutex<RevocationSnapshot>

    /// Makes a view of `snapshot`.
    public init(_ snapshot: RevocationSnapshot = .empty) {
        self.snapshot = Mutex(snapshot)
    }

    /// Sees `newer` from now on.
    public func adopt(_ newer: RevocationSnapshot) {
        snapshot.withLock { $0 = newer }
    }

    /// Throws `revocation.LEVEL` where any of the names is revoked.
    public func check(_ names: [RevocationName], now: UnixTime) throws(CertificateRefusal) {
        if let level = snapshot.withLock({ $0.hit(names) }) {
            throw CertificateRefusal(RevokedCredential(level).reason)
        }
    }
}
