import Audit
import Bytes
import Configuration
import Control
import Cryptography
import Exchange
import Identity
import Logging
import Reactor
import Revocation
import Tokens

/// What operators ask of the running gateway.
extension Gateway: AdminDesk {
    func handle(_ request: AdminRequest, by actor: AdminActor, reply: AdminReply) {
        switch request {
        case .revoke(let demand): revoke(demand, by: actor, reply: reply)
        case .preview(let demand): preview(demand, reply: reply)
        case .revocations(let query): list(query, reply: reply)
        case .unrevoke(let id): unrevoke(id, by: actor, reply: reply)
        case .issuers: reply(.issuers(issuers.states(of: configuration.issuers)))
        case .status: survey([]) { [unowned self] in reply(.status(status($0))) }
        // The server must not change its own rules while it reads by them.
        case .reload, .drain: errands.append(Errand(request: request, actor: actor, reply: reply))
        }
    }

    func isRevoked(_ peer: VerifiedPeer) -> Bool {
        let names = peer.revocationNames.filter { revocations.set.contains($0.key) }
        return !names.isEmpty
    }

    func refusedOperator(peer: String, reason: String) {
        guard refusedOperators.passes(at: Clock.monotonic()) else { return }
        records.submit(ControlRecord(.alertRaised, by: peer, reason: "admin.\(reason)"))
    }

    /// Tells how many more were not let in than each by itself is on record.
    func tellRefusedOperators() {
        guard let count = refusedOperators.takeSuppressed(at: Clock.monotonic()) else { return }
        var record = ControlRecord(.alertRaised, reason: "admin.refused-more")
        record.count = count
        records.submit(record)
    }

    /// Does what had to wait for the end of the turn.
    func runErrands() {
        let errands = errands
        self.errands = []
        for errand in errands {
            switch errand.request {
            case .drain:
                let isNew = draining == nil
                if isNew {
                    records.submit(ControlRecord(.alertRaised, by: errand.actor.text, reason: "admin.drain"))
                    drain()
                }
                errand.reply(.draining(connections: connections.count))
            case .reload: errand.reply(reload(by: errand.actor.text))
            default: break
            }
        }
    }

    // MARK: Revocations

    private func revoke(_ demand: RevocationDemand, by actor: AdminActor, reply: AdminReply) {
        guard let desk else { return reply(.refused(Self.noStore)) }
        if demand.level == .token, let issuer = demand.issuer,
            !configuration.issuers.contains(where: { $0.issuer.utf8.elementsEqual(issuer.utf8) })
        {
            return reply(
                .refused(.badRequest("no token of that issuer is accepted here; write the issuer as configured")))
        }
        do throws(RevocationFault) {
            let revocations = try makeRevocations(demand, by: actor.text)
            desk.revoke(revocations) { [logger] outcome in
                switch outcome {
                case .enforced(let entries, let enforcement, let time):
                    reply(
                        .revoked(
                            RevocationReceipt(
                                ids: entries.map(\.id), effectiveAt: time,
                                expiresAt: entries.map(\.revocation.expiresAt).min() ?? time,
                                connectionsClosed: enforcement.connections, callsEnded: enforcement.calls)))
                case .failed(let error):
                    logger.error("a revocation cannot be kept", metadata: ["reason": "\(error)"])
                    reply(.refused(.unavailable("nothing was revoked, since the store cannot be written: \(error)")))
                }
            }
        } catch {
            reply(.refused(.badRequest("\(error)")))
        }
    }

    private func makeRevocations(
        _ demand: RevocationDemand, by actor: String?
    ) throws(RevocationFault) -> [Revocation] {
        let now = UnixTime(nanoseconds: Clock.civil())
        let terms = configuration.revocationTerms
        var revocations: [Revocation] = []
        for level in demand.levels {
            let end = demand.expiresAt ?? terms.expiry(of: level, issuer: demand.issuer, now: now)
            revocations.append(
                try Revocation(
                    level: level, value: demand.value, issuer: demand.issuer, reason: demand.reason, source: "admin",
                    by: actor, createdAt: now, expiresAt: end))
        }
        return revocations
    }

    private func preview(_ demand: RevocationDemand, reply: AdminReply) {
        do throws(RevocationFault) {
            var keys: Set<RevocationKey> = []
            for revocation in try makeRevocations(demand, by: nil) {
                for key in revocation.keys { keys.insert(key) }
            }
            survey(keys) { survey in
                reply(
                    .preview(
                        RevocationPreview(
                            connections: survey.connections, calls: survey.calls, agents: survey.agents)))
            }
        } catch {
            reply(.refused(.badRequest("\(error)")))
        }
    }

    private func list(_ query: RevocationQuery, reply: AdminReply) {
        guard let desk else { return reply(.refused(Self.noStore)) }
        do throws(RevocationStoreError) {
            // One more than asked for tells whether there is a next page.
            let found = try desk.page(
                after: query.after, limit: query.limit + 1, level: query.level, source: query.source)
            let page = found.prefix(query.limit)
            reply(
                .revocations(
                    RevocationPage(
                        entries: page.map(RevocationEntry.init), next: found.count > page.count ? page.last?.id : nil,
                        total: desk.count)))
        } catch {
            reply(.refused(.unavailable("the store cannot be read: \(error)")))
        }
    }

    private func unrevoke(_ id: String, by actor: AdminActor, reply: AdminReply) {
        guard let desk else { return reply(.refused(Self.noStore)) }
        do throws(RevocationStoreError) {
            let wasThere = try desk.unrevoke(id: id, by: actor.text) { _ in reply(.unrevoked) }
            if !wasThere { reply(.refused(.notFound("there is no revocation of that id"))) }
        } catch {
            reply(.refused(.unavailable("nothing was changed, since the store cannot be written: \(error)")))
        }
    }

    private static var noStore: AdminRefusal {
        .conflict("the configuration has no store of revocations; add revocation.store.path and restart")
    }

    // MARK: Status

    private func status(_ survey: Survey) -> AdminStatus {
        let state: AdminStatus.State =
            switch health {
            case .ready where revocations.set.contains(.everything): .notReady("everything is revoked")
            case .ready: .ready
            case .notReady(let reason): draining == nil ? .notReady(reason) : .draining
            }
        return AdminStatus(
            state: state, startedAt: startedAt, configurationDigest: configuration.digest.hexadecimal,
            configuredAt: configuredAt, workers: workers.count, connections: connections.count,
            connectionLimit: connectionLimit(configuration),
            calls: AdminCalls(
                allowed: survey.decisions.allowed, denied: survey.decisions.denied, current: survey.allCalls),
            liveAgents: survey.liveAgents.count,
            listeners: configuration.listeners.map { AdminListener(name: $0.name, address: "\($0.address)") },
            issuers: issuers.states(of: configuration.issuers),
            revocations: desk.map { AdminRevocations(entries: $0.count, bySource: $0.countBySource) },
            feeds: feeds.statuses.map {
                AdminFeed(
                    name: $0.name, type: $0.type, age: $0.age, isStale: $0.isStale, entries: $0.entries,
                    lastFailure: $0.lastFailure)
            },
            revocationLists: lists.statuses.map { domain, status in
                AdminRevocationList(
                    name: domain, age: status.age, isExpired: status.isExpired, entries: status.entries,
                    lastFailure: status.lastFailure)
            },
            isAuditHealthy: audit.isHealthy)
    }
}

/// What an operator asked for that is done at the end of the control loop's turn.
struct Errand {
    let request: AdminRequest
    let actor: AdminActor
    let reply: AdminReply
}

extension RevocationEntry {
    init(_ stored: StoredRevocation) {
        let revocation = stored.revocation
        self.init(
            id: stored.id, level: revocation.level, value: revocation.value, issuer: revocation.issuer,
            reason: revocation.reason, source: revocation.source, by: revocation.by, createdAt: revocation.createdAt,
            expiresAt: revocation.expiresAt)
    }
}
