import Bytes
import Exchange
import Identity
import Reactor
import Revocation

/// What becomes of connections and calls when what they rest on is taken back, or expires.
extension Worker {
    /// Decides by what is revoked now, and ends what lives on what was: only then it is enforced.
    func enforce(_ snapshot: EnforcementSnapshot, _ number: UInt64) {
        plan.snapshot = snapshot
        var ended = Enforcement()
        for case let connection as ClientConnection in endpoints.elements {
            ended += connection.enforce(snapshot.revocations)
        }
        control.post(.enforced(worker: index, number, ended))
    }

    /// What lives on anything of that, and who.
    func survey(_ keys: RevocationSet) -> Survey {
        var survey = Survey(decisions: decisions)
        for case let connection as ClientConnection in endpoints.elements { connection.count(keys, in: &survey) }
        return survey
    }

    /// Ends calls whose credentials have expired while they went on: a stream may live for days.
    func endExpired() {
        expiryCheckedAt = now
        for case let connection as ClientConnection in endpoints.elements { connection.endExpired(at: time) }
    }

    func adopt(_ lists: RevocationLists) {
        for listener in plan.listeners { listener.policy.adopt(lists: lists[listener: listener.rules.name]) }
        for case let connection as ClientConnection in endpoints.elements where connection.distrust() {
            unsettled.append(connection.key)
        }
    }
}
