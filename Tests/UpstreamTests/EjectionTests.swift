import Bytes
import Configuration
import Testing

@testable import Upstream

@Suite("Ejection of endpoints that fail")
struct EjectionTests {
    private func balancer(
        _ count: Int, _ change: (inout PassiveHealthSettings) -> Void = { _ in }
    ) -> UpstreamBalancer {
        var passive = PassiveHealthSettings()
        change(&passive)
        return UpstreamBalancer(
            Trial.upstream { $0.health.passive = passive }, endpoints: Trial.endpoints(0..<count))
    }

    private func out(_ balancer: UpstreamBalancer, of count: Int, at seconds: Int64) -> [Int] {
        (0..<count).filter { !balancer.isAvailable(Trial.endpoint($0), now: Trial.time(seconds)) }
    }

    @Test("So many failures in a row eject, one fewer do not", arguments: [1, 2, 5, 10])
    func threshold(_ failures: Int) {
        var balancer = balancer(2) { $0.failures = failures }
        balancer.fail([1], times: failures - 1, at: Trial.time(0))
        #expect(out(balancer, of: 2, at: 0) == [])
        balancer.fail([1], times: 1, at: Trial.time(0))
        #expect(out(balancer, of: 2, at: 0) == [1])
    }

    @Test("A success in between begins the row anew, an end that teaches nothing does not")
    func row() throws {
        var balancer = balancer(2)
        func end(_ outcomes: [EndpointOutcome]) throws -> Bool {
            var wasEjected = false
            for outcome in outcomes {
                while true {
                    let id = try balancer.chosen()
                    let isMeant = balancer.number(of: id) == 0
                    balancer.began(id, now: Trial.time(0))
                    if balancer.ended(id, isMeant ? outcome : .cancelled, now: Trial.time(0)) { wasEjected = true }
                    if isMeant { break }
                }
            }
            return wasEjected
        }
        #expect(
            try end([.failure, .failure, .failure, .failure, .success, .failure, .failure, .failure, .failure]) == false
        )
        #expect(try end([.cancelled, .failure]) == true)
        #expect(out(balancer, of: 2, at: 0) == [0])
    }

    @Test(
        "Never more of them are out than the share allows",
        arguments: [
            (1, 50, 0), (2, 50, 1), (3, 50, 1), (4, 50, 2), (5, 50, 2), (10, 10, 1), (9, 10, 0), (1, 100, 1),
            (3, 100, 3),
            (4, 1, 0),
        ])
    func share(_ count: Int, _ percent: Int, _ allowed: Int) {
        var balancer = balancer(count) { $0.maximumEjected = percent }
        for _ in 0..<count {
            for number in 0..<count where balancer.isAvailable(Trial.endpoint(number), now: Trial.time(0)) {
                balancer.fail([number], times: 5, at: Trial.time(0))
            }
        }
        #expect(out(balancer, of: count, at: 0).count == allowed)
    }

    @Test("One that could not be ejected is by its next failure when there is room")
    func waitsForRoom() {
        var balancer = balancer(2)
        balancer.fail([0], times: 5, at: Trial.time(0))
        balancer.fail([1], times: 5, at: Trial.time(10))
        #expect(out(balancer, of: 2, at: 10) == [0])
        balancer.fail([1], times: 1, at: Trial.time(30))
        #expect(out(balancer, of: 2, at: 30) == [1])
    }

    @Test("Each ejection in a row lasts longer, up to five minutes")
    func growth() {
        var balancer = balancer(2)
        var now: Int64 = 0
        var lengths: [Int64] = []
        for _ in 0..<12 {
            balancer.fail([0], times: 5, at: Trial.time(now))
            var length: Int64 = 0
            while out(balancer, of: 2, at: now + length) == [0] { length += 1 }
            lengths.append(length)
            now += length
        }
        #expect(lengths == [30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 300, 300])
    }

    @Test(
        "Ten good seconds forgive one ejection",
        arguments: [(Int64(9), Int64(90)), (10, 60), (19, 60), (20, 30), (3600, 30)])
    func forgiveness(_ good: Int64, _ length: Int64) {
        var balancer = balancer(2)
        balancer.fail([0], times: 5, at: Trial.time(0))
        balancer.fail([0], times: 5, at: Trial.time(30))
        balancer.fail([0], times: 5, at: Trial.time(90 + good))
        #expect(out(balancer, of: 2, at: 90 + good + length - 1) == [0])
        #expect(out(balancer, of: 2, at: 90 + good + length) == [])
    }

    @Test("A basic length of more than five minutes is not shortened")
    func longBase() {
        var balancer = balancer(2) { $0.ejectFor = .seconds(1000) }
        balancer.fail([0], times: 5, at: Trial.time(0))
        #expect(out(balancer, of: 2, at: 999) == [0])
        #expect(out(balancer, of: 2, at: 1000) == [])
    }

    @Test("What was under way at the ejection does not lengthen it, nor count afterwards")
    func underWay() throws {
        var balancer = balancer(2)
        var ids: [EndpointID] = []
        while ids.count < 12 {
            let id = try balancer.chosen()
            balancer.began(id, now: Trial.time(0))
            if balancer.number(of: id) == 0 { ids.append(id) } else { balancer.ended(id, .success, now: Trial.time(0)) }
        }
        let ejections = ids.map { balancer.ended($0, .failure, now: Trial.time(0)) }
        #expect(ejections == (0..<12).map { $0 == 4 })
        #expect(out(balancer, of: 2, at: 29) == [0])
        balancer.fail([0], times: 4, at: Trial.time(30))
        #expect(out(balancer, of: 2, at: 30) == [])
    }

    @Test("Where nothing is learnt from calls, nothing is ejected, and a reload to that ends ejections")
    func off() {
        var balancer = balancer(2)
        balancer.fail([0], times: 5, at: Trial.time(0))
        #expect(out(balancer, of: 2, at: 0) == [0])
        balancer.adopt(Trial.upstream { $0.health.passive = nil }, endpoints: Trial.endpoints(0..<2))
        #expect(out(balancer, of: 2, at: 0) == [])
        balancer.fail([0, 1], times: 20, at: Trial.time(0))
        #expect(out(balancer, of: 2, at: 0) == [])
    }

    @Test(
        "Only answers that say that the service cannot serve are failures",
        arguments: [
            (200, false), (404, false), (429, false), (500, false), (501, false), (502, true), (503, true), (504, true),
            (505, false),
        ])
    func statuses(_ status: Int, _ isFailure: Bool) {
        #expect(EndpointOutcome(status: status) == (isFailure ? .failure : .success))
    }

    @Test("A very long time does not overflow")
    func extremes() {
        var state = OutlierState()
        for _ in 0..<100 { state.eject(for: Interval(nanoseconds: .max), now: MonotonicTime(nanoseconds: 1)) }
        #expect(state.isEjected(now: MonotonicTime(nanoseconds: .max - 1)))
    }
}
