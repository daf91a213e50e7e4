import Bytes
import Configuration
import Exchange
import HTTP
import Reactor
import TLS

/// One upstream as a worker uses it.
final class UpstreamGroup {
    let configuration: UpstreamConfiguration
    let context: TLSContext?
    private(set) var places: [UpstreamPlace] = []
    /// Whether a reload has put another group in its place.
    private(set) var isRetired = false
    private unowned let worker: Worker

    init(_ plan: UpstreamPlan, worker: Worker) {
        configuration = plan.configuration
        self.worker = worker
        context = plan.context
        setAddresses(plan.addresses)
    }

    /// Moves to other addresses; connections to those that stay are kept.
    func setAddresses(_ addresses: [SocketAddress]) {
        let before = places
        places = addresses.map { address in
            before.first { $0.address == address } ?? UpstreamPlace(address, group: self, worker: worker)
        }
        for place in before where !addresses.contains(place.address) { place.retire() }
    }

    var name: String { configuration.name }
    var placeCount: Int { places.count }
    var sharesConnections: Bool { false }
    var applicationProtocol: ApplicationProtocol { .http11 }

    func choose(attempt: Int) -> UpstreamPlace? {
        places.isEmpty ? nil : places[attempt % places.count]
    }

    func makeDriver(of connection: UpstreamConnection) throws -> UpstreamDriver {
        let limits = worker.plan.snapshot.limits
        return HTTP1UpstreamDriver(
            connection: connection, limits: HeadLimits(bytes: limits.headerBytes, count: limits.headerCount))
    }

    func timeouts(under timeouts: Timeouts) -> UpstreamTimeouts {
        UpstreamTimeouts(
            connect: timeouts.upstreamConnect.nanoseconds, response: timeouts.upstreamResponse.nanoseconds,
            idle: timeouts.idle.nanoseconds)
    }

    /// Serves no more new requests.
    func retire() {
        isRetired = true
        for place in places { place.retire() }
    }
}
