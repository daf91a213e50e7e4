import Audit
import Bytes
import Configuration
import Control
import Exchange
import Logging
import Policy
import Possession
import Reactor
import Revocation

/// Taking over another configuration while connections live.
extension Gateway {
    /// Loads the configuration anew, whole or not at all.
    ///
    /// - Parameter actor: who asked for it, where an operator did over the admin API.
    func reload(by actor: String?) -> AdminAnswer {
        guard draining == nil else { return .refused(.conflict("the gateway drains and reloads no more")) }
        notifier?.reloading(at: Clock.monotonic())
        // Names that are new are looked up here, which may take its time.
        notifier?.watchdog()
        defer { notifier?.ready() }
        do {
            let fresh = try GatewayConfiguration.load(file: file, environment: environment)
            try checkUnchanged(fresh)
            generation += 1
            let prepared = lists.prepare(fresh.listeners)
            let builder = try makeBuilder(fresh, prepared.lists)
            var plans: [WorkerPlan] = []
            for _ in workers { plans.append(try builder.plan()) }
            if let settings = fresh.admin { try admin?.adopt(settings) }
            // From here on nothing fails: a reload takes effect whole or not at all.
            configuration = fresh
            configuredAt = UnixTime(nanoseconds: Clock.civil())
            issuers.configure(fresh.issuers)
            names.watch(fresh.upstreams)
            // Before the plans, so that no call passes by them before a feed that is new in them was heard.
            configureFeeds()
            generation += 1
            let current = builder.snapshot.with(revocations: revocations, generation: generation)
            snapshot = current
            for (worker, plan) in zip(workers, plans) { worker.mailbox.post(.adopt(plan.deciding(by: current))) }
            adopt(prepared)
            connections.setLimit(connectionLimit(fresh), perClient: fresh.limits.connectionsPerClient)
            for warning in fresh.warnings { logger.warning("\(warning)") }
            records.submit(.configLoaded, by: actor, reason: "sha256:\(fresh.digest.hexadecimal)")
            logger.info("configuration reloaded", metadata: ["sha256": "\(fresh.digest.hexadecimal)"])
            return .reloaded(digest: fresh.digest.hexadecimal, warnings: fresh.warnings)
        } catch let error as ConfigurationFaults {
            for fault in error.faults { logger.error("reload refused: \(fault)") }
            records.submit(.alertRaised, by: actor, reason: "config.rejected")
            return .refused(.badConfiguration(faults: error.faults.map { "\($0)" }))
        } catch {
            logger.error("reload refused: \(error)")
            records.submit(.alertRaised, by: actor, reason: "config.rejected")
            return .refused(.badConfiguration(faults: ["\(error)"]))
        }
    }

    /// What cannot change while connections live.
    private func checkUnchanged(_ fresh: GatewayConfiguration) throws(GatewayError) {
        let before = configuration.listeners.map { "\($0.name) \($0.address)" }
        let after = fresh.listeners.map { "\($0.name) \($0.address)" }
        guard before == after else { throw GatewayError("listeners' names and addresses need a restart to change") }
        guard fresh.workers == configuration.workers else { throw GatewayError("workers needs a restart to change") }
        guard fresh.audit.directory == configuration.audit.directory,
            fresh.audit.durability == configuration.audit.durability
        else { throw GatewayError("audit.directory and audit.durability need a restart to change") }
        // What was used is forgotten when the present settings let nobody use it again.
        guard fresh.possession.dpop.acceptWindow <= configuration.possession.dpop.acceptWindow,
            fresh.possession.workloadProof.futureSkew <= configuration.possession.workloadProof.futureSkew
        else {
            throw GatewayError("a longer possession.dpop.accept_window or possession.wpt.future_skew needs a restart")
        }
        guard fresh.possession.replayCapacity == configuration.possession.replayCapacity else {
            throw GatewayError("possession.replay.capacity needs a restart to change")
        }
        guard fresh.observability == configuration.observability else {
            throw GatewayError("observability.address needs a restart to change")
        }
        guard fresh.admin?.address == configuration.admin?.address else {
            throw GatewayError("admin.address needs a restart to change")
        }
        guard fresh.revocation?.storePath == configuration.revocation?.storePath else {
            throw GatewayError("revocation.store needs a restart to change")
        }
    }
}
