import Bytes
import Exchange
import Identity
import Reactor
import Revocation

/// What becomes of connections and calls when what they rest on is taken back, or expires.
extension Worker {
    /// Decides by what is revoked now, and ends what lives on what was: only then it is enforced.
    ///
    /// Only what the orders revoke is looked for: the rest was when it was revoked.
    func enforce(_ snapshot: EnforcementSnapshot, _ orders: [EnforcementOrder]) {
        plan.snapshot = snapshot
        var ended = [Enforcement](repeating: Enforcement(), count: orders.count)
        if orders.contains(where: { !$0.keys.isEmpty }) {
            for case let connection as ClientConnection in endpoints.elements {
                connection.enforce(orders, counting: &ended)
            }
        }
        for (order, ended) in zip(orders, ended) { control.post(.enforced(worker: index, order.number, ended)) }
    }

    /// Decides by other status lists, and ends calls whose tokens they object to.
    func review(_ snapshot: EnforcementSnapshot) {
        plan.snapshot = snapshot
        for case let connection as ClientConnection in endpoints.elements { connection.review(snapshot.revocations) }
    }

    /// What lives on anything of that, and who.
    func survey(_ keys: Set<RevocationKey>) -> Survey {
        var survey = Survey(decisions: decisions)
        for case let connection as ClientConnection in endpoints.elements { connection.count(keys, in: &survey) }
        return survey
    }

    /// Ends calls whose credentials have expired while they went on: a stream may live for days.
    func endExpired() {
        expiryCheckedAt = now
        for case let connection as ClientConnection in endpoints.elements { connection.endExpired(at: time) }
    }

    /// Judges clients by other lists of their authorities, those that are connected too.
    func adopt(_ lists: RevocationLists) {
        for listener in plan.listeners { listener.policy.adopt(lists: lists[listener: listener.rules.name]) }
        for case let connection as ClientConnection in endpoints.elements where connection.distrust() {
            unsettled.append(connection.key)
        }
    }
}
