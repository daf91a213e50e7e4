import Bytes
import Testing

@testable import Limits

@Suite("The table of limits")
struct LimitTableTests {
    private static let secret = [UInt8](0..<16)

    private func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 5_000_000_000_000 + milliseconds * 1_000_000)
    }

    private func scope(
        _ kind: LimitScope.Kind = .route, _ name: String = "orders", own: RateLimit? = nil, perAgent: RateLimit? = nil
    ) -> LimitScope {
        LimitScope(kind, name: name, settings: LimitSettings(own: own, perAgent: perAgent))
    }

    private func agent(_ name: String, _ table: LimitTable) -> LimitAgent { table.agent(name.utf8.span) }

    /// Asks and ends at once: nothing where it was admitted, else the refusal.
    private func refusal(
        _ table: LimitTable, _ first: LimitScope, _ second: LimitScope? = nil, by name: String = "a", at now: Int64
    ) -> LimitStatus? {
        switch table.admit(first, second, agent: agent(name, table), now: time(now)) {
        case .admitted: nil
        case .limited(let status): status
        case .full: LimitStatus(policy: .full, remaining: 0, resetsIn: .zero)
        }
    }

    // MARK: Rates

    @Test("Worked by hand: four a second, three at once")
    func rate() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(own: RateLimit(requestsPerSecond: 4, burst: 3))
        // Due after each: 250, 500, 750; the fourth must wait until 750 - 500 = 250.
        for _ in 0..<3 { #expect(refusal(table, scope, at: 0) == nil) }
        #expect(refusal(table, scope, at: 0)?.resetsIn == .milliseconds(250))
        #expect(refusal(table, scope, at: 100)?.resetsIn == .milliseconds(150))
        #expect(refusal(table, scope, at: 249)?.resetsIn == .milliseconds(1))
        #expect(refusal(table, scope, at: 250) == nil)
        #expect(refusal(table, scope, at: 250)?.resetsIn == .milliseconds(250))
        // After a long pause there are three again, and not more.
        for _ in 0..<3 { #expect(refusal(table, scope, at: 60_000) == nil) }
        #expect(refusal(table, scope, at: 60_000)?.resetsIn == .milliseconds(250))
    }

    @Test("What is refunded was never counted, neither the request nor that it is under way")
    func refund() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(own: RateLimit(requestsPerSecond: 1, burst: 1, concurrent: 1))
        for _ in 0..<5 {
            switch table.admit(scope, agent: agent("a", table), now: time(0)) {
            case .admitted(let lease): lease.refund()
            case .limited: Issue.record("it was counted")
            case .full: Issue.record("there is room")
            }
        }
        #expect(refusal(table, scope, at: 0) == nil)
        #expect(refusal(table, scope, at: 0) != nil)
    }

    @Test("Over a long time no more than the rate passes, however requests come", arguments: [1, 3, 7, 1000])
    func longRun(_ rate: Int) {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(own: RateLimit(requestsPerSecond: rate, burst: 1))
        var admitted = 0
        for millisecond in 0..<10_000 where refusal(table, scope, at: Int64(millisecond)) == nil { admitted += 1 }
        #expect(admitted <= rate * 10)
        #expect(admitted >= rate * 10 * 9 / 10)
    }

    @Test("A burst that is not said is one second's requests")
    func defaultBurst() {
        #expect(RateLimit(requestsPerSecond: 7).burst == 7)
        #expect(RateLimit(concurrent: 7).burst == 1)
    }

    @Test("A clock that a worker reads a little late changes nothing")
    func lateClock() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(own: RateLimit(requestsPerSecond: 1, burst: 1))
        #expect(refusal(table, scope, at: 1000) == nil)
        #expect(refusal(table, scope, at: 999)?.resetsIn == .milliseconds(1001))
        #expect(refusal(table, scope, at: 1999)?.resetsIn == .milliseconds(1))
        #expect(refusal(table, scope, at: 2000) == nil)
    }

    // MARK: Agents and scopes

    @Test("Each agent has its own count, each scope too, and a name outlives a reload")
    func separate() {
        let table = LimitTable(secret: Self.secret)
        let limit = RateLimit(requestsPerSecond: 1, burst: 1)
        #expect(refusal(table, scope(perAgent: limit), by: "a", at: 0) == nil)
        #expect(refusal(table, scope(perAgent: limit), by: "a", at: 0) != nil)
        #expect(refusal(table, scope(perAgent: limit), by: "b", at: 0) == nil)
        #expect(refusal(table, scope(.route, "others", perAgent: limit), by: "a", at: 0) == nil)
        #expect(refusal(table, scope(.listener, perAgent: limit), by: "a", at: 0) == nil)
        #expect(refusal(table, scope(own: limit), by: "a", at: 0) == nil)
    }

    @Test("An agent that is over its own limit takes nothing of what is everyone's")
    func allOrNothing() {
        let table = LimitTable(secret: Self.secret)
        let listener = scope(.listener, own: RateLimit(requestsPerSecond: 10, burst: 10))
        let route = scope(perAgent: RateLimit(requestsPerSecond: 1, burst: 1))
        #expect(refusal(table, listener, route, by: "greedy", at: 0) == nil)
        for _ in 0..<100 {
            #expect(refusal(table, listener, route, by: "greedy", at: 0)?.policy.name.description == "route-agent")
        }
        for index in 0..<9 { #expect(refusal(table, listener, route, by: "\(index)", at: 0) == nil) }
        #expect(refusal(table, listener, route, by: "late", at: 0)?.policy.name.description == "listener")
        // Nor did who was refused by the listener use up anything of its own.
        #expect(refusal(table, listener, route, by: "late", at: 100) == nil)
    }

    @Test("The limit that lasts longest is told")
    func longestRefusal() {
        let table = LimitTable(secret: Self.secret)
        let listener = scope(.listener, own: RateLimit(requestsPerSecond: 2, burst: 1))
        let route = scope(perAgent: RateLimit(requestsPerSecond: 1, burst: 1))
        #expect(refusal(table, listener, route, at: 0) == nil)
        let refusal = refusal(table, listener, route, at: 0)
        #expect(refusal?.resetsIn == .seconds(1))
        #expect(refusal?.reason == "limit.route-agent.requests")
    }

    @Test("Nothing that has limits lets everything pass")
    func unlimited() {
        let table = LimitTable(secret: Self.secret)
        let isAdmitted =
            if case .admitted = table.admit(nil, nil, agent: .unnamed, now: time(0)) { true } else { false }
        #expect(isAdmitted)
        #expect(table.count == 0)
    }

    // MARK: At a time

    @Test("So many at a time, until one of them ends")
    func concurrency() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(perAgent: RateLimit(concurrent: 2))
        func lease() -> LimitLease? {
            switch table.admit(scope, agent: agent("a", table), now: time(0)) {
            case .admitted(let lease): lease
            default: nil
            }
        }
        var first = lease()
        var second = lease()
        let holds = first != nil && second != nil
        #expect(holds)
        let status = refusal(table, scope, at: 0)
        #expect(status?.reason == "limit.route-agent.concurrent")
        #expect(status?.retryAfter == 1)
        #expect(refusal(table, scope, by: "b", at: 0) == nil)
        first.take()?.end(bytes: 0, now: time(0))
        #expect(refusal(table, scope, at: 0) == nil)
        // To let go of it ends it too.
        first = lease()
        #expect(refusal(table, scope, at: 0) != nil)
        second = nil
        #expect(refusal(table, scope, at: 0) == nil)
        _ = first.take()
    }

    // MARK: Bytes

    @Test("Worked by hand: a thousand bytes a second")
    func bytes() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(own: RateLimit(bytesPerSecond: 1000))
        func ask(_ bytes: UInt64, at now: Int64) -> Bool {
            guard case .admitted(let lease) = table.admit(scope, agent: .unnamed, now: time(now)) else { return false }
            lease.end(bytes: bytes, now: time(now))
            return true
        }
        #expect(ask(999, at: 0))
        // 999 ms are owed: less than a second.
        #expect(ask(3001, at: 0))
        // 4000 ms are owed; at 3000 it is exactly one second.
        let status = refusal(table, scope, at: 0)
        #expect(status?.reason == "limit.route.bytes")
        #expect(status?.retryAfter == 4)
        #expect(!ask(1, at: 3000))
        #expect(ask(1, at: 3001))
    }

    @Test("Bytes of a stream are counted as they pass, with the pause that keeps the rate")
    func stream() {
        let table = LimitTable(secret: Self.secret)
        let scope = scope(perAgent: RateLimit(bytesPerSecond: 1 << 20))
        guard case .admitted(let lease) = table.admit(scope, agent: .unnamed, now: time(0)) else {
            Issue.record("not admitted")
            return
        }
        let counts = lease.countsBytes
        #expect(counts)
        #expect(lease.charge(bytes: 1 << 20, now: time(0)) == .zero)
        #expect(lease.charge(bytes: 1 << 19, now: time(0)) == .milliseconds(500))
        #expect(lease.charge(bytes: 0, now: time(500)) == .zero)
        lease.end(bytes: 0, now: time(500))
    }

    @Test("A debt is at most a day, whatever has passed", arguments: [1, 1000, 1 << 40] as [UInt64])
    func hugeDebt(_ rate: UInt64) {
        let day: Int64 = 86_400_000_000_000
        #expect(RateLimit.cost(ofBytes: .max, perSecond: rate) <= day)
        #expect(RateLimit.cost(ofBytes: rate, perSecond: rate) == 1_000_000_000)
        var count = LimitCount(key: SipHash.Value(first: 0, second: 0), now: 0)
        for _ in 0..<10 { count.countBytes(.max, perSecond: rate, now: 0) }
        #expect(count.bytesDue <= day)
    }

    // MARK: Room

    @Test("What is idle makes room, what is in use does not: then a new agent is refused")
    func capacity() {
        let table = LimitTable(capacity: 100, secret: Self.secret)
        let scope = scope(perAgent: RateLimit(requestsPerSecond: 1, burst: 1))
        var refused = 0
        for index in 0..<150 {
            if refusal(table, scope, by: "\(index)", at: 0)?.policy == .full { refused += 1 }
        }
        #expect(refused == 50)
        #expect(table.count == 100)
        // Who is known is still judged by its own limit.
        #expect(refusal(table, scope, by: "0", at: 0)?.policy.name.description == "route-agent")
        // A second later all are idle.
        for index in 150..<250 { #expect(refusal(table, scope, by: "\(index)", at: 1000) == nil) }
        #expect(table.count <= 100)
    }

    @Test("A request under way keeps its place, however long it takes")
    func inUse() {
        let table = LimitTable(capacity: 4, secret: Self.secret)
        let scope = scope(perAgent: RateLimit(concurrent: 1))
        var admission: Admission? = table.admit(scope, agent: agent("long", table), now: time(0))
        for index in 0..<100 { #expect(refusal(table, scope, by: "\(index)", at: Int64(index) * 1000) == nil) }
        #expect(refusal(table, scope, by: "long", at: 100_000) != nil)
        _ = admission.take()
        #expect(refusal(table, scope, by: "long", at: 100_000) == nil)
    }

    @Test("A request that finds no room for one of its counts is counted nowhere")
    func fullHalfway() {
        let table = LimitTable(capacity: 2, secret: Self.secret)
        let listener = scope(.listener, own: RateLimit(concurrent: 100))
        let route = scope(perAgent: RateLimit(concurrent: 1))
        let first = table.admit(listener, route, agent: agent("a", table), now: time(0))
        #expect(refusal(table, listener, route, by: "b", at: 0)?.policy == .full)
        #expect(refusal(table, listener, route, by: "a", at: 0)?.policy.name.description == "route-agent")
        let one = scope(.listener, own: RateLimit(concurrent: 2))
        #expect(refusal(table, one, at: 0) == nil)
        _ = consume first
        // A full table is searched again a millisecond later.
        #expect(refusal(table, listener, route, by: "b", at: 0)?.policy == .full)
        #expect(refusal(table, listener, route, by: "b", at: 1) == nil)
    }

    @Test("A large table grows with what it holds and keeps every count")
    func growth() {
        let table = LimitTable(capacity: 20_000, secret: Self.secret)
        let small = table.byteCount
        let scope = scope(perAgent: RateLimit(requestsPerSecond: 1, burst: 1))
        for index in 0..<20_000 { #expect(refusal(table, scope, by: "\(index)", at: 0) == nil) }
        var kept = 0
        for index in 0..<20_000 where refusal(table, scope, by: "\(index)", at: 0) != nil { kept += 1 }
        #expect(kept == 20_000)
        #expect(small < 200_000)
        #expect(table.byteCount < 20_000 * 160)
    }

    // MARK: Many at once

    @Test("Of many threads at once exactly the burst passes, and every lease comes back")
    func threads() async {
        let table = LimitTable(secret: Self.secret)
        let listener = scope(.listener, own: RateLimit(requestsPerSecond: 1, burst: 500, concurrent: 1000))
        let route = scope(perAgent: RateLimit(requestsPerSecond: 1, burst: 200))
        let now = time(0)
        let admitted = await withTaskGroup(of: [Int].self) { group in
            for worker in 0..<8 {
                group.addTask {
                    var admitted = [0, 0, 0, 0]
                    for index in 0..<2000 {
                        let agent = (worker + index) % 4
                        let key = table.agent("\(agent)".utf8.span)
                        // The order of the two scopes must not matter to the locks.
                        let admission =
                            index % 2 == 0
                            ? table.admit(listener, route, agent: key, now: now)
                            : table.admit(route, listener, agent: key, now: now)
                        if case .admitted(let lease) = admission {
                            admitted[agent] += 1
                            lease.end(bytes: 1, now: now)
                        }
                    }
                    return admitted
                }
            }
            return await group.reduce([0, 0, 0, 0]) { zip($0, $1).map(+) }
        }
        #expect(admitted.reduce(0, +) == 500)
        #expect(admitted.allSatisfy { $0 <= 200 })
        // Nothing is under way any more: all of a burst may be, later.
        let alone = scope(.listener, own: RateLimit(concurrent: 1))
        #expect(refusal(table, alone, at: 0) == nil)
    }
}

extension LimitPolicy {
    /// Stands for a table without room.
    fileprivate static let full = LimitPolicy(
        kind: .listener, isPerAgent: false, measure: .bytes, quota: 0, window: nil)
}
