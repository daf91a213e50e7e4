import Bytes
import Exchange
import Identity
import Revocation
import Tokens

/// What becomes of a call under way when its credentials are revoked, or expire.
extension Call {
    /// Ends the call where its credentials were revoked since it was decided about.
    ///
    /// - Returns: whether it did.
    func enforce(_ revocations: RevocationSnapshot) -> Bool {
        for claims in claims {
            guard let objection = revocations.objection(to: claims, now: worker.time) else { continue }
            end(.invalidToken, objection.reason)
            return true
        }
        return false
    }

    /// Whether its credentials are known by one of those keys.
    func isKnown(by keys: RevocationSet) -> Bool {
        claims.contains { $0.revocationNames.contains { name in keys.contains(name.key) } }
    }

    /// Whether what allows it has expired, however long it may go on after that.
    func isExpired(at now: UnixTime) -> Bool {
        guard let end = exchange.expiresAt else { return false }
        return now >= end
    }

    private var claims: [TokenClaims] { [exchange.claims, exchange.workloadClaims].compactMap(\.self) }
}
