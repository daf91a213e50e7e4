import Bytes
import Configuration
import Testing
import Upstream

/// Long random histories, against what must hold at every moment.
@Suite("Histories of the balancer")
struct BalancerModelTests {
    /// A balancer and what must be known of it, kept separately and simply.
    private struct History {
        var balancer: UpstreamBalancer
        var numbers: SeededNumbers
        var listed = Set(0..<6)
        var healthy: Set<Int> = []
        var underWay: [(id: EndpointID, number: Int)] = []
        var waiting = 0
        var connections = 0
        var now: Int64 = 0

        var time: MonotonicTime { Trial.time(now) }

        func isAvailable(_ number: Int) -> Bool { balancer.isAvailable(Trial.endpoint(number), now: time) }

        mutating func choose() -> (id: EndpointID, number: Int)? {
            guard let id = balancer.id(agent: numbers.next(), random: numbers.next(), at: time) else { return nil }
            return balancer.number(of: id).map { (id, $0) }
        }

        mutating func step() {
            switch numbers.below(12) {
            case 0: now += Int64(numbers.below(20))
            case 1:
                let number = numbers.below(8)
                let isHealthy = numbers.below(3) > 0
                balancer.markHealth(Trial.endpoint(number), isHealthy: isHealthy)
                if listed.contains(number) {
                    if isHealthy { healthy.insert(number) } else { healthy.remove(number) }
                }
            case 2 where numbers.below(10) == 0:
                listed = Set((0..<8).filter { _ in numbers.below(3) > 0 })
                healthy.formIntersection(listed)
                balancer.update(endpoints: listed.sorted().map(Trial.endpoint))
            case 3...7:
                guard let chosen = choose() else { return }
                balancer.began(chosen.id, now: time)
                underWay.append(chosen)
            case 8 where connections < 5:
                balancer.connectionOpened()
                connections += 1
            case 9 where connections > 0:
                balancer.connectionClosed()
                connections -= 1
            default:
                guard !underWay.isEmpty else { return }
                let ended = underWay.remove(at: numbers.below(underWay.count))
                let outcome: EndpointOutcome = [.success, .failure, .failure, .cancelled][numbers.below(4)]
                balancer.ended(ended.id, outcome, now: time)
            }
        }
    }

    @Test(
        "What is chosen is in the list and available while any is", arguments: BalancingPolicy.allCases,
        [UInt64(1), 2, 3])
    func invariants(_ policy: BalancingPolicy, _ seed: UInt64) {
        let settings = Trial.upstream(policy) { $0.health.active = ActiveHealthSettings(path: "/") }
        var history = History(
            balancer: UpstreamBalancer(settings, endpoints: Trial.endpoints(0..<6)), numbers: SeededNumbers(seed: seed))
        var ejections = 0
        for _ in 0..<3000 {
            history.step()
            let available = history.listed.filter { history.isAvailable($0) }
            #expect(available.isSubset(of: history.healthy))
            let ejected = history.healthy.subtracting(available).count
            ejections = max(ejections, ejected)
            let chosen = history.choose()?.number
            if let chosen {
                #expect(history.listed.contains(chosen))
                #expect(available.isEmpty || available.contains(chosen))
            } else {
                #expect(history.listed.isEmpty)
            }
            #expect(history.balancer.breaker.requests == history.underWay.count)
            #expect(history.balancer.breaker.connections == history.connections)
        }
        #expect(ejections > 0)
    }
}
