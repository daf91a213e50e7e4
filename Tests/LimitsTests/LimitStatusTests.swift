import Bytes
import Testing

@testable import Limits

@Suite("What an answer says of limits")
struct LimitStatusTests {
    private static let secret = [UInt8](0..<16)
    private static let now = MonotonicTime(nanoseconds: 1)

    private func fields(_ status: LimitStatus) -> [String] {
        var policy = ByteQueue()
        status.appendPolicy(to: &policy)
        var left = ByteQueue()
        status.appendStatus(to: &left)
        return [String(validating: policy.readable) ?? "", String(validating: left.readable) ?? ""]
    }

    private func status(
        _ kind: LimitScope.Kind, perAgent: Bool, _ measure: LimitPolicy.Measure, _ quota: UInt64, window: Int64?,
        left: UInt64 = 0, resetsIn: Int64
    ) -> LimitStatus {
        let policy = LimitPolicy(
            kind: kind, isPerAgent: perAgent, measure: measure, quota: quota, window: window.map { .seconds($0) })
        return LimitStatus(policy: policy, remaining: left, resetsIn: Interval(nanoseconds: resetsIn))
    }

    @Test("Names are structured strings, units stand where they are not requests, times are rounded up")
    func written() {
        #expect(
            fields(status(.listener, perAgent: false, .requests, 200, window: 2, resetsIn: 2_000_000_001))
                == ["\"listener\";q=200;w=2", "\"listener\";r=0;t=3"])
        #expect(
            fields(status(.listener, perAgent: true, .bytes, 1 << 20, window: 1, resetsIn: 1))
                == ["\"listener-agent\";q=1048576;qu=\"content-bytes\";w=1", "\"listener-agent\";r=0;t=1"])
        #expect(
            fields(status(.route, perAgent: true, .concurrent, 50, window: nil, resetsIn: 1_000_000_000))
                == ["\"route-agent\";q=50;qu=\"concurrent-requests\"", "\"route-agent\";r=0;t=1"])
        #expect(
            fields(status(.route, perAgent: false, .requests, 3, window: 1, left: 2, resetsIn: 0))
                == ["\"route\";q=3;w=1", "\"route\";r=2;t=1"])
    }

    @Test(
        "The window of a rate is the time in which the burst comes back",
        arguments: [(100, 200, 2), (100, 100, 1), (3, 3, 1), (7, 7, 1), (7, 8, 2), (1000, 1, 1), (1, 60, 60)])
    func window(_ rate: Int, _ burst: Int, _ seconds: Int64) throws {
        let table = LimitTable(secret: Self.secret)
        let limit = RateLimit(requestsPerSecond: rate, burst: burst)
        let scope = LimitScope(.route, name: "a", settings: LimitSettings(perAgent: limit))
        guard case .admitted(let lease) = table.admit(scope, agent: .unnamed, now: Self.now) else {
            Issue.record("not admitted")
            return
        }
        let status = lease.status
        #expect(status?.policy.window == .seconds(seconds))
        #expect(status?.policy.quota == UInt64(burst))
        #expect(status?.remaining == UInt64(burst - 1))
    }

    @Test("What is told of an admitted request is the agent's own, and of its limits the tightest")
    func remainder() {
        let table = LimitTable(secret: Self.secret)
        let listener = LimitScope(
            .listener, name: "a",
            settings: LimitSettings(
                own: RateLimit(requestsPerSecond: 2), perAgent: RateLimit(requestsPerSecond: 10, burst: 10)))
        let route = LimitScope(
            .route, name: "a", settings: LimitSettings(perAgent: RateLimit(requestsPerSecond: 5, burst: 5)))
        guard case .admitted(let lease) = table.admit(listener, route, agent: .unnamed, now: Self.now) else {
            Issue.record("not admitted")
            return
        }
        let told = lease.status.map(fields)
        #expect(told == ["\"route-agent\";q=5;w=1", "\"route-agent\";r=4;t=1"])
    }

    @Test("Of what all share, an agent is told nothing before it is refused")
    func discreet() {
        let table = LimitTable(secret: Self.secret)
        let limit = LimitSettings(own: RateLimit(requestsPerSecond: 1, burst: 1))
        let scope = LimitScope(.listener, name: "a", settings: limit)
        guard case .admitted(let lease) = table.admit(scope, agent: .unnamed, now: Self.now) else {
            Issue.record("not admitted")
            return
        }
        let isSilent = lease.status == nil
        #expect(isSilent)
        guard case .limited(let status) = table.admit(scope, agent: .unnamed, now: Self.now) else {
            Issue.record("admitted")
            return
        }
        #expect(fields(status) == ["\"listener\";q=1;w=1", "\"listener\";r=0;t=1"])
    }
}
