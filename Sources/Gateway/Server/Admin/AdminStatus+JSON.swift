extension AdminStatus {
    /// The status as the admin API answers it.
    var json: AdminJSON {
        .object([
            "state": .text(state.name),
            "reason": state.reason.map(AdminJSON.text),
            "started_at": .time(startedAt),
            "configuration": .object([
                "sha256": .text(configurationDigest), "loaded_at": configuredAt.map(AdminJSON.time),
            ]),
            "workers": .number(workers),
            "connections": .object(["open": .number(connections), "limit": .number(connectionLimit)]),
            "calls": calls?.json,
            "live_agents": liveAgents.map(AdminJSON.number),
            "listeners": .list(
                listeners.map { .object(["name": .text($0.name), "address": .text($0.address)]) }),
            "issuers": .list(issuers.map(\.json)),
            "revocations": revocations?.json,
            "feeds": .list(feeds.map(\.json)),
            "revocation_lists": .list(revocationLists.map(\.json)),
            "audit": .object(["healthy": .flag(isAuditHealthy)]),
        ])
    }
}

extension AdminStatus.State {
    fileprivate var name: String {
        switch self {
        case .ready: "ready"
        case .notReady: "not-ready"
        case .draining: "draining"
        }
    }

    fileprivate var reason: String? {
        if case .notReady(let reason) = self { reason } else { nil }
    }
}

extension AdminCalls {
    fileprivate var json: AdminJSON {
        .object([
            "allowed": .number(Int(clamping: allowed)), "denied": .number(Int(clamping: denied)),
            "current": .number(current),
        ])
    }
}

extension AdminIssuer {
    /// The issuer as the admin API answers it.
    var json: AdminJSON {
        .object([
            "issuer": .text(issuer),
            "profile": .text(profile),
            "key_source": .text(keySource),
            "keys": keyCount.map(AdminJSON.number),
            "key_age_seconds": keyAge.map(AdminJSON.seconds),
            "usable": .flag(isUsable),
            "last_failure": lastFailure.map(AdminJSON.text),
        ])
    }
}

extension AdminRevocations {
    fileprivate var json: AdminJSON {
        let sources = bySource.sorted { $0.key < $1.key }
        return .object([
            "entries": .number(entries),
            "by_source": .object(sources.flatMap { AdminJSON.Member.maybe($0.key, .number($0.value)) }),
        ])
    }
}

extension AdminFeed {
    fileprivate var json: AdminJSON {
        .object([
            "name": .text(name),
            "type": .text(type),
            "age_seconds": age.map(AdminJSON.seconds),
            "stale": .flag(isStale),
            "entries": entries.map(AdminJSON.number),
            "last_failure": lastFailure.map(AdminJSON.text),
        ])
    }
}

extension AdminRevocationList {
    fileprivate var json: AdminJSON {
        .object([
            "name": .text(name),
            "age_seconds": age.map(AdminJSON.seconds),
            "expired": .flag(isExpired),
            "entries": entries.map(AdminJSON.number),
            "last_failure": lastFailure.map(AdminJSON.text),
        ])
    }
}
