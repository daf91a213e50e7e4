import Bytes
import Configuration
import Control
import Exchange
import Logging
import Reactor
import Revocation

/// What is revoked, from wherever it is told to wherever it is enforced.
extension Gateway {
    /// Opens the store of what is revoked, where the configuration has one.
    func openRevocations() throws {
        guard let settings = configuration.revocation else { return }
        desk = try RevocationDesk(
            path: settings.storePath, markPath: configuration.audit.directory + "/revocations.mark", records: records
        ) { [unowned self] revocations, enforced in
            publish(revocations, enforced: enforced)
        }
        logger.info("revocations loaded", metadata: ["count": "\(desk?.count ?? 0)"])
    }

    /// Everything that is revoked now.
    var revocations: RevocationSnapshot { desk?.snapshot ?? .empty }

    /// Has every worker decide by what is revoked now, and end what lives on it.
    func publish(_ revocations: RevocationSnapshot, enforced: @escaping (Enforcement) -> Void) {
        view.adopt(revocations)
        guard let snapshot else { return enforced(Enforcement()) }
        generation += 1
        let fresh = snapshot.with(revocations: revocations, generation: generation)
        self.snapshot = fresh
        let serving = workers.filter { !$0.hasEnded }
        let number = enforcements.open(
            to: Set(serving.map(\.index)), from: Enforcement(), completion: enforced)
        for worker in serving { worker.mailbox.post(.enforce(fresh, number: number)) }
    }

    /// Counts what every worker serves, and what of it is known by any of those keys.
    func survey(_ keys: RevocationSet, counted: @escaping (Survey) -> Void) {
        let serving = workers.filter { !$0.hasEnded }
        let number = surveys.open(to: Set(serving.map(\.index)), from: Survey(), completion: counted)
        for worker in serving { worker.mailbox.post(.survey(number, keys)) }
    }

    /// Writes what was ordered in this turn of the loop, and removes what has expired.
    func tendRevocations() {
        desk?.flush()
        do throws(RevocationStoreError) { try desk?.expire() } catch {
            logger.error("expired revocations cannot be removed", metadata: ["reason": "\(error)"])
        }
    }
}
