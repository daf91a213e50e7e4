import Bytes
import Configuration
import Exchange
import Identity
import Policy
import Possession
import Reactor
import Revocation
import TLS
import Tokens

/// Turns a valid configuration into what workers serve by: on the control thread, so that a worker never waits for it.
struct PlanBuilder {
    private let configuration: GatewayConfiguration
    /// What all workers decide by.
    let snapshot: EnforcementSnapshot
    private let upstreams: [String: [SocketAddress]]

    /// Resolves names and prepares the snapshot that all workers share.
    ///
    /// - Parameters:
    ///   - configuration: what is configured.
    ///   - issuers: its issuers with the keys that are known now.
    ///   - generation: the number of the snapshot.
    ///   - connections: how many connections there may be.
    init(
        _ configuration: GatewayConfiguration, issuers: [TokenIssuer], generation: UInt64,
        connections: Int
    ) throws(GatewayError) {
        self.configuration = configuration
        var limits = configuration.limits
        limits.connections = connections
        snapshot = EnforcementSnapshot(
            generation: generation, issuers: IssuerTable(issuers),
            routes: RouteTable(configuration.routes),
            revocations: .empty, limits: limits, possession: configuration.possession)
        var upstreams: [String: [SocketAddress]] = [:]
        for upstream in configuration.upstreams {
            var addresses: [SocketAddress] = []
            for target in upstream.targets { addresses += try Self.resolve(target, of: upstream.name) }
            upstreams[upstream.name] = addresses
        }
        self.upstreams = upstreams
    }

    private static func resolve(_ target: UpstreamTarget, of name: String) throws(GatewayError) -> [SocketAddress] {
        switch target {
        case .unix(let path):
            return [.unix(path)]
        case .tcp(let host, let port), .h2c(let host, let port), .tls(let host, let port):
            do { return try SocketAddress.resolve(host: host, port: port) } catch {
                throw GatewayError("the host \(host) of upstream \(name) cannot be resolved (\(error)); check its name")
            }
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

    private func upstreamPlans() throws(GatewayError) -> [String: UpstreamPlan] {
        var plans: [String: UpstreamPlan] = [:]
        for upstream in configuration.upstreams {
            plans[upstream.name] = UpstreamPlan(
                configuration: upstream, addresses: upstreams[upstream.name] ?? [], context: nil)
        }
        return plans
    }

    /// Makes the plan of one worker: its TLS contexts are its own.
    func plan() throws(GatewayError) -> WorkerPlan {
        var listeners: [ListenerPlan] = []
        for listener in configuration.listeners {
            do {
                let bundles = listener.trustDomains.map { (trustDomain: $0.name, certificates: $0.bundle) }
                let policy = try TrustDomainPolicy(mode: listener.identity, bundles: bundles)
                let context = try TLSContext(
                    certificates: listener.certificates, minimumVersion: listener.minimumVersion,
                    applicationProtocols: listener.protocols, demand: listener.clientCertificate, policy: policy)
                listeners.append(
                    ListenerPlan(
                        rules: ListenerRules(listener, documents: documents(of: listener)), policy: policy,
                        context: context))
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
