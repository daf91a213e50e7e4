import Bytes
import Configuration
import Exchange
import HTTP
import HTTP2
import Reactor
import TLS
import Upstream

/// One upstream as a worker uses it: where its requests go, and what is under way there.
final class UpstreamGroup {
    private(set) var plan: UpstreamPlan
    var balancer: UpstreamBalancer
    private var places: [UpstreamEndpoint: UpstreamPlace] = [:]
    private var checker: HealthChecker?
    private unowned let worker: Worker

    init(_ plan: UpstreamPlan, worker: Worker) {
        self.plan = plan
        self.worker = worker
        balancer = UpstreamBalancer(plan.configuration, endpoints: plan.endpoints)
        settle()
    }

    var name: String { plan.configuration.name }
    /// Whether a connection carries several requests at a time.
    var sharesConnections: Bool { plan.configuration.speaks == .h2 }
    var applicationProtocol: ApplicationProtocol { plan.configuration.speaks == .h2 ? .h2 : .http11 }

    // MARK: What it is

    /// Takes over what a reload has brought.
    func adopt(_ plan: UpstreamPlan) {
        self.plan = plan
        balancer.adopt(plan.configuration, endpoints: plan.endpoints)
        settle()
    }

    /// Takes over where the targets are now.
    func move(to addresses: [UpstreamTarget: [SocketAddress]]) {
        let targets = plan.targets.map { target in
            var target = target
            if let found = addresses[target.target], !found.isEmpty { target.addresses = found }
            return target
        }
        plan = UpstreamPlan(configuration: plan.configuration, targets: targets)
        balancer.update(endpoints: plan.endpoints)
        settle()
    }

    /// Has a place for each endpoint; those that stay, and are trusted for the same reasons, keep their connections.
    private func settle() {
        let before = places
        places = [:]
        for target in plan.targets {
            for address in target.addresses {
                let endpoint = UpstreamEndpoint(target: target.target, address: address)
                if let place = before[endpoint], place.identity == target.identity {
                    places[endpoint] = place
                } else {
                    places[endpoint] = UpstreamPlace(endpoint, of: target, group: self, worker: worker)
                }
            }
        }
        for (endpoint, place) in before where places[endpoint] !== place { place.retire() }
        settleChecks()
    }

    private func settleChecks() {
        if let checker, checker.settings == plan.configuration.health.active {
            return checker.watch(plan.endpoints)
        }
        checker?.stop()
        checker = plan.configuration.health.active.map { HealthChecker($0, group: self, worker: worker) }
        checker?.watch(plan.endpoints)
    }

    /// Serves no new requests.
    func retire() {
        checker?.stop()
        checker = nil
        for place in places.values { place.retire() }
    }

    // MARK: Requests

    func place(of endpoint: UpstreamEndpoint) -> UpstreamPlace? {
        places[endpoint]
    }

    func place(of id: EndpointID) -> UpstreamPlace? {
        balancer.endpoint(id).flatMap { places[$0] }
    }

    /// Whether another connection may be made, if need be in the stead of an idle one.
    func makesRoom() -> Bool {
        let breaker = balancer.breaker
        guard breaker.connections >= breaker.settings.connections else { return true }
        return places.values.contains { $0.closeIdle() }
    }

    /// Closes the idle connections that began with the name of a client that is gone.
    func clientLeft(_ key: SlotKey) {
        for place in places.values { place.clientLeft(key) }
    }

    func makeDriver(of connection: UpstreamConnection) throws -> UpstreamDriver {
        let limits = worker.plan.snapshot.limits
        let head = HeadLimits(bytes: limits.headerBytes, count: limits.headerCount)
        switch plan.configuration.speaks {
        case .http11: return HTTP1UpstreamDriver(connection: connection, limits: head)
        case .h2:
            return try HTTP2UpstreamDriver(
                connection: connection, limits: HTTP2ClientLimits(head: head), overTLS: connection.place.context != nil)
        }
    }

    var timeouts: UpstreamPatience {
        let timeouts = plan.configuration.timeouts(over: worker.plan.timeouts)
        return UpstreamPatience(
            connect: timeouts.connect.nanoseconds, response: timeouts.response.nanoseconds,
            idle: timeouts.idle.nanoseconds)
    }
}
