import Bytes
import Configuration
import Control
import Exchange
import Glibc
import Identity
import Logging
import Reactor
import Revocation

/// What is revoked, from wherever it is told to wherever it is enforced.
extension Gateway {
    /// Opens the store of what is revoked, where the configuration has one.
    func openRevocations() throws {
        let mark = configuration.audit.directory + "/revocations.mark"
        guard let settings = configuration.revocation else {
            guard unsafe access(mark, F_OK) != 0 else {
                throw GatewayError(
                    "\(mark) says that there is a store of revocations, and the configuration names none: write revocation.store.path, "
                        + "or delete the mark to begin with nothing revoked")
            }
            return
        }
        desk = try RevocationDesk(
            path: settings.storePath, markPath: mark, records: records
        ) { [unowned self] revocations, change in
            publish(revocations, change)
        }
        logger.info("revocations loaded", metadata: ["count": "\(desk?.count ?? 0)"])
    }

    /// Everything that is revoked now.
    var revocations: RevocationSnapshot { desk?.snapshot ?? .empty }

    /// Has every worker decide by what is revoked now, and end what lives on what has changed.
    func publish(_ revocations: RevocationSnapshot, _ change: RevocationChange) {
        view.adopt(revocations)
        let serving = workers.filter { !$0.hasEnded }
        var orders: [EnforcementOrder] = []
        if case .orders(let wanted) = change {
            for order in wanted {
                let number = enforcements.open(
                    to: Set(serving.map(\.index)), from: Enforcement(), completion: order.enforced)
                orders.append(EnforcementOrder(number: number, keys: order.keys))
            }
        }
        guard let snapshot else { return }
        generation += 1
        let fresh = snapshot.with(revocations: revocations, generation: generation)
        self.snapshot = fresh
        for worker in serving {
            switch change {
            case .nothingLiving: worker.mailbox.post(.publish(fresh))
            case .statusLists: worker.mailbox.post(.review(fresh))
            case .orders: worker.mailbox.post(.enforce(fresh, orders))
            }
        }
    }

    /// Counts what every worker serves, and what of it is known by any of those keys.
    func survey(_ keys: Set<RevocationKey>, counted: @escaping (Survey) -> Void) {
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
