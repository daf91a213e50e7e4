import Bytes
import Exchange
import Identity
import Revocation
import Tokens

/// What becomes of a call under way when its credentials are revoked, or expire.
extension Call {
    /// Ends the call where an order revokes its credentials.
    ///
    /// - Returns: whether it did.
    func isRevoked(by order: EnforcementOrder) -> Bool {
        guard let level = claims.lazy.compactMap({ order.hits($0.revocationNames) }).first else { return false }
        end(.invalidToken, RevokedCredential(level).reason)
        return true
    }

    /// Ends the call where anything that is known by now speaks against its tokens.
    func review(_ revocations: RevocationSnapshot) {
        for claims in claims {
            guard let objection = revocations.objection(to: claims, now: worker.time) else { continue }
            return end(.invalidToken, objection.reason)
        }
    }

    /// Whether its credentials are known by one of those keys.
    func isKnown(by keys: Set<RevocationKey>) -> Bool {
        claims.contains { $0.revocationNames.contains { name in keys.contains(name.key) } }
    }

    /// Ends the call where what allows it has expired, and it may go on no longer.
    func endIfExpired(at now: UnixTime) {
        guard let expiry = exchange.expiry, now > expiry.time else { return }
        end(.invalidToken, "\(expiry.reason)")
    }

    private var claims: [TokenClaims] { [exchange.claims, exchange.workloadClaims].compactMap(\.self) }
}
