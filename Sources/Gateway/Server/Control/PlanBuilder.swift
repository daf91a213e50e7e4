import Bytes
import Configuration
import Control
import Cryptography
import Exchange
import Identity
import Policy
import Possession
import Reactor
import Revocation
import TLS
import Tokens
import Upstream

/// Turns a valid configuration into what workers serve by: on the control thread, so that a worker never waits for it.
struct PlanBuilder {
    private let configuration: GatewayConfiguration
    /// What all workers decide by.
    let snapshot: EnforcementSnapshot
    /// Where the targets of the upstreams are.
    private let addresses: [UpstreamTarget: [SocketAddress]]
    private let ticketKeys: TicketKeys
    /// What handshakes see of revocations.
    private let view: RevocationView
    /// What certificate authorities have taken back, by listener.
    private let lists: RevocationLists
    private let keyLogs: [String: TLSContext.KeyLog]
    private let identities: [String: [UpstreamTarget: UpstreamIdentity]]

    /// Prepares the snapshot that all workers share.
    ///
    /// - Parameters:
    ///   - configuration: what is configured.
    ///   - issuers: its issuers with the keys that are known now.
    ///   - generation: the number of the snapshot.
    ///   - connections: how many connections there may be.
    ///   - addresses: where the targets of upstreams are.
    ///   - ticketKeys: the keys of session tickets.
    ///   - revocations: everything that is revoked now.
    ///   - view: what handshakes see of it, now and later.
    ///   - lists: what certificate authorities have taken back.
    init(
        _ configuration: GatewayConfiguration, issuers: [TokenIssuer], generation: UInt64,
        connections: Int, addresses: [UpstreamTarget: [SocketAddress]], ticketKeys: TicketKeys,
        revocations: RevocationSnapshot, view: RevocationView, lists: RevocationLists
    ) throws(GatewayError) {
        self.configuration = configuration
        var limits = configuration.limits
        limits.connections = connections
        snapshot = EnforcementSnapshot(
            generation: generation, issuers: IssuerTable(issuers),
            routes: RouteTable(configuration.routes),
            revocations: revocations, limits: limits, possession: configuration.possession)
        self.addresses = addresses
        self.ticketKeys = ticketKeys
        self.view = view
        self.lists = lists
        keyLogs = try Self.openKeyLogs(of: configuration.listeners)
        do {
            let engine = try CryptographicEngine()
            var identities: [String: [UpstreamTarget: UpstreamIdentity]] = [:]
            for upstream in configuration.upstreams {
                for target in upstream.targets {
                    identities[upstream.name, default: [:]][target] = try UpstreamIdentity(
                        upstream, target: target, engine: engine)
                }
            }
            self.identities = identities
        } catch {
            throw GatewayError("the identities of upstreams cannot be computed (\(error))")
        }
    }

    /// What the gateway itself answers: whom to ask for a token, and how to verify ours.
    private func documents(of listener: ListenerConfiguration) -> [Origin: [ServedDocument]] {
        let keySet = configuration.transactionTokens.map { ResourceMetadata.keySet(of: $0) }
        return ResourceMetadata.documents(
            for: listener, routes: configuration.routes, issuers: configuration.issuers,
            dpopAlgorithms: configuration.possession.dpop.algorithms
        ).mapValues { [$0] + [keySet].compactMap(\.self) }
    }

    /// Where the listener takes security events in.
    private func events(of listener: ListenerConfiguration) -> [EventEndpoint] {
        (configuration.revocation?.feeds ?? []).compactMap { feed in
            guard case .push(let endpoint) = feed.kind, endpoint.listener == listener.name else { return nil }
            return EventEndpoint(
                feed: feed.name, path: endpoint.path, authorization: endpoint.authorization)
        }
    }

    private func upstreamPlans() throws(GatewayError) -> [String: UpstreamPlan] {
        var plans: [String: UpstreamPlan] = [:]
        for upstream in configuration.upstreams {
            var targets: [TargetPlan] = []
            for target in upstream.targets {
                guard let identity = identities[upstream.name]?[target] else { continue }
                targets.append(
                    TargetPlan(
                        target: target, identity: identity, addresses: addresses[target] ?? [],
                        context: try Self.context(of: target, upstream)))
            }
            plans[upstream.name] = UpstreamPlan(configuration: upstream, targets: targets)
        }
        return plans
    }

    private static func context(
        of target: UpstreamTarget, _ upstream: UpstreamConfiguration
    ) throws(GatewayError) -> TLSContext? {
        guard target.isSecure, let tls = upstream.tls, let host = target.authority?.host else { return nil }
        let offered: ApplicationProtocol = upstream.speaks == .h2 ? .h2 : .http11
        do { return try tls.context(forHost: host, applicationProtocols: [offered]) } catch {
            throw GatewayError("TLS of upstream \(upstream.name) cannot be set up (\(error)); check its files")
        }
    }

    private static func trust(
        in policy: TrustDomainPolicy, _ listener: ListenerConfiguration
    ) throws(TLSError) -> Digest256 {
        var scope = TLSScope()
        scope.add("demand", listener.clientCertificate.rawValue)
        if case .tcp(_, let rule) = listener.mode {
            for pattern in rule.allowed { scope.add("allow", pattern.text) }
        }
        policy.contribute(to: &scope)
        return try scope.digest()
    }

    private static func openKeyLogs(
        of listeners: [ListenerConfiguration]
    ) throws(GatewayError) -> [String: TLSContext.KeyLog] {
        var logs: [String: TLSContext.KeyLog] = [:]
        for path in Set(listeners.compactMap(\.keyLogFile)) {
            do {
                let file = try KeyLogFile(path: path)
                logs[path] = { line in file.append(line) }
            } catch {
                throw GatewayError(
                    "the file \(path) for TLS keys cannot be opened (\(error)); remove the key, or the cause")
            }
        }
        return logs
    }

    /// What a ticket is bound to beside what the context knows itself: it resumes at no other listener.
    private func resumption(of listener: ListenerConfiguration) -> Resumption {
        var scope = TLSScope()
        scope.add("listener", listener.name)
        scope.add("address", "\(listener.address)")
        return Resumption(keys: ticketKeys, scope: scope)
    }

    /// Makes the plan of one worker: its TLS contexts are its own.
    func plan() throws(GatewayError) -> WorkerPlan {
        var listeners: [ListenerPlan] = []
        for listener in configuration.listeners {
            do {
                let bundles = listener.trustDomains.map { (trustDomain: $0.name, certificates: $0.bundle) }
                let policy = try TrustDomainPolicy(
                    mode: listener.identity, bundles: bundles, revocations: view,
                    lists: lists[listener: listener.name])
                let context = try TLSContext(
                    certificates: listener.certificates, minimumVersion: listener.minimumVersion,
                    applicationProtocols: listener.protocols, demand: listener.clientCertificate, policy: policy,
                    resumption: listener.resumption ? resumption(of: listener) : nil,
                    keyLog: listener.keyLogFile.flatMap { keyLogs[$0] })
                listeners.append(
                    ListenerPlan(
                        rules: ListenerRules(
                            listener, documents: documents(of: listener), events: events(of: listener)),
                        policy: policy,
                        context: context, trust: try Self.trust(in: policy, listener),
                        demand: listener.clientCertificate, proxyPeers: listener.proxyPeers))
            } catch {
                throw GatewayError("TLS of listener \(listener.name) cannot be set up (\(error)); check its files")
            }
        }
        return WorkerPlan(
            snapshot: snapshot, listeners: listeners, upstreams: try upstreamPlans(), timeouts: configuration.timeouts,
            audit: configuration.audit,
            minter: configuration.transactionTokens.map { TransactionTokenMinter(settings: $0) })
    }
}
