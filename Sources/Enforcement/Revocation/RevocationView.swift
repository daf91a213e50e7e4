public import Bytes
public import Identity
import Synchronization
public import TLS

/// What handshakes see of revocations: the snapshot that was published last, for all workers.
///
/// It is written before workers are told, and asked once a handshake. A handshake is refused for what is revoked, not because a
/// feed is stale: that is for the judgement of requests and passages, which can say so.
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
        let snapshot = snapshot.withLock { $0 }
        if let level = snapshot.hit(names) {
            throw CertificateRefusal(RevokedCredential(level).reason)
        }
    }
}
