import Bytes
import Configuration
import Testing
import Upstream

@Suite("HealthProbe")
struct HealthProbeTests {
    private static let settings = {
        var settings = ActiveHealthSettings(path: "/healthz")
        settings.interval = .seconds(10)
        settings.healthyAfter = 2
        settings.unhealthyAfter = 3
        return settings
    }()

    /// Tells of an answer as soon as the endpoint is asked.
    private func answer(_ probe: inout HealthProbe, _ passed: Bool) -> HealthProbe.Transition? {
        let now = probe.nextDue ?? Trial.time(0)
        for endpoint in probe.takeDue(now: now) {
            return probe.finished(endpoint, passed: passed, random: 0, now: now)
        }
        return nil
    }

    @Test("New endpoints are asked at once, and again an interval after they have answered")
    func schedule() throws {
        var probe = HealthProbe(Self.settings)
        #expect(probe.nextDue == nil)
        probe.update(endpoints: Trial.endpoints(0..<2), now: Trial.time(100))
        #expect(Set(probe.takeDue(now: Trial.time(100))) == Set(Trial.endpoints(0..<2)))
        #expect(probe.takeDue(now: Trial.time(200)) == [])
        #expect(probe.nextDue == nil)
        _ = probe.finished(Trial.endpoint(0), passed: true, random: 0, now: Trial.time(101))
        #expect(probe.nextDue == Trial.time(111))
        #expect(probe.takeDue(now: Trial.time(110)) == [])
        #expect(probe.takeDue(now: Trial.time(111)) == [Trial.endpoint(0)])
    }

    @Test("Chance shortens the interval by a tenth at most", arguments: [0, 1, 12345, UInt64.max])
    func jitter(_ random: UInt64) throws {
        var probe = HealthProbe(Self.settings)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(0))
        _ = probe.takeDue(now: Trial.time(0))
        _ = probe.finished(Trial.endpoint(0), passed: true, random: random, now: Trial.time(0))
        let due = try #require(probe.nextDue)
        #expect(due > Trial.time(9) && due <= Trial.time(10))
    }

    @Test("The first answer decides", arguments: [true, false])
    func first(_ passed: Bool) {
        var probe = HealthProbe(Self.settings)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(0))
        #expect(probe.isHealthy(Trial.endpoint(0)) == nil)
        #expect(answer(&probe, passed) == (passed ? .healthy : .unhealthy))
        #expect(probe.isHealthy(Trial.endpoint(0)) == passed)
    }

    @Test("Later ones must come in a row")
    func thresholds() {
        var probe = HealthProbe(Self.settings)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(0))
        let answers = [true, false, false, true, false, false, false, true, false, true, true, true, false]
        let transitions = answers.map { answer(&probe, $0) }
        #expect(
            transitions == [
                .healthy, nil, nil, nil, nil, nil, .unhealthy, nil, nil, nil, .healthy, nil, nil,
            ])
    }

    @Test("An answer of an endpoint that has gone, or was not asked, means nothing")
    func strangers() {
        var probe = HealthProbe(Self.settings)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(0))
        #expect(probe.finished(Trial.endpoint(0), passed: true, random: 0, now: Trial.time(0)) == nil)
        _ = probe.takeDue(now: Trial.time(0))
        probe.update(endpoints: [], now: Trial.time(1))
        #expect(probe.finished(Trial.endpoint(0), passed: true, random: 0, now: Trial.time(1)) == nil)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(2))
        #expect(probe.finished(Trial.endpoint(0), passed: true, random: 0, now: Trial.time(2)) == nil)
        #expect(probe.takeDue(now: Trial.time(2)) == Trial.endpoints(0..<1))
    }

    @Test("An endpoint that stays keeps its schedule and its health")
    func stays() {
        var probe = HealthProbe(Self.settings)
        probe.update(endpoints: Trial.endpoints(0..<1), now: Trial.time(0))
        #expect(answer(&probe, true) == .healthy)
        probe.update(endpoints: Trial.endpoints(0..<2), now: Trial.time(5))
        #expect(probe.takeDue(now: Trial.time(5)) == [Trial.endpoint(1)])
        #expect(probe.isHealthy(Trial.endpoint(0)) == true)
    }

    @Test(
        "Only an answer of success is good",
        arguments: [(200, true), (204, true), (299, true), (199, false), (301, false), (404, false), (503, false)])
    func statuses(_ status: Int, _ passes: Bool) {
        #expect(HealthProbe.passes(status: status) == passes)
    }
}
