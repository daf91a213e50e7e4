import Bytes
import Configuration
import HTTP
import Reactor
import Upstream

/// Asks the endpoints of an upstream whether they work: one worker's, in its own time, over connections of its own.
final class HealthChecker: Endpoint {
    private var probe: HealthProbe
    private unowned let group: UpstreamGroup
    private var checks: [HealthCheck] = []

    init(_ settings: ActiveHealthSettings, group: UpstreamGroup, worker: Worker) {
        probe = HealthProbe(settings)
        self.group = group
        super.init(worker: worker)
        worker.add(timer: self)
    }

    var settings: ActiveHealthSettings { probe.settings }

    /// Watches these endpoints from now on.
    func watch(_ endpoints: [UpstreamEndpoint]) {
        probe.update(endpoints: endpoints, now: MonotonicTime(nanoseconds: worker.now))
        schedule()
    }

    func stop() {
        for check in checks { check.connection?.abandon(check) }
        checks.removeAll()
        worker.remove(self)
    }

    override func deadlinePassed() {
        for endpoint in probe.takeDue(now: MonotonicTime(nanoseconds: worker.now)) { ask(endpoint) }
        schedule()
    }

    private func schedule() {
        guard let due = probe.nextDue else { return }
        worker.setDeadline(due.nanoseconds, of: self)
    }

    private func ask(_ endpoint: UpstreamEndpoint) {
        guard let place = group.place(of: endpoint) else { return finished(endpoint, passed: false) }
        let check = HealthCheck(of: endpoint, by: self)
        do {
            let connection = try UpstreamConnection(
                worker: worker, place: place, client: nil, for: .check(patience: settings.timeout.nanoseconds))
            checks.append(check)
            connection.serve(check)
        } catch {
            finished(endpoint, passed: false)
        }
    }

    fileprivate func finished(_ check: HealthCheck, passed: Bool) {
        guard let index = checks.firstIndex(where: { $0 === check }) else { return }
        checks.remove(at: index)
        finished(check.endpoint, passed: passed)
        schedule()
    }

    private func finished(_ endpoint: UpstreamEndpoint, passed: Bool) {
        let change = probe.finished(
            endpoint, passed: passed, random: worker.entropy.word(), now: MonotonicTime(nanoseconds: worker.now))
        guard let change else { return }
        group.balancer.markHealth(endpoint, isHealthy: change == .healthy)
        worker.logHealth(of: endpoint, upstream: group.name, isHealthy: change == .healthy)
    }
}

/// One question to one endpoint: a request of the gateway's own, which carries nothing of any client.
private final class HealthCheck: UpstreamRequest {
    let endpoint: UpstreamEndpoint
    private let checker: HealthChecker
    private var passed = false

    init(of endpoint: UpstreamEndpoint, by checker: HealthChecker) {
        self.endpoint = endpoint
        self.checker = checker
        super.init()
        let authority = endpoint.target.authority
        outgoing = .check(
            HealthQuestion(
                path: checker.settings.path, authority: authority.map(Self.text) ?? "localhost"))
    }

    private static func text(_ authority: (host: String, port: UInt16)) -> String {
        authority.host.contains(":") ? "[\(authority.host)]:\(authority.port)" : "\(authority.host):\(authority.port)"
    }

    override func answered(hasBody: Bool) {
        passed = HealthProbe.passes(status: Int(checker.worker.upstreamHead.status))
        // What the answer says beyond its status is not waited for.
        connection?.abandon(self)
        checker.finished(self, passed: passed)
    }

    override func failed(_ failure: UpstreamFailure) {
        checker.finished(self, passed: false)
    }
}
