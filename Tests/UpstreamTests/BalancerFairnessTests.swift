import Bytes
import Configuration
import Testing
import Upstream

/// How evenly calls are spread, and how little moves when endpoints change.
@Suite("Fairness of the balancer")
struct BalancerFairnessTests {
    private static let agents = 4000

    private func places(_ balancer: inout UpstreamBalancer, at time: MonotonicTime = Trial.time(0)) -> [Int?] {
        (0..<Self.agents).map { balancer.number(agent: Trial.agent($0), at: time) }
    }

    private func shares(_ numbers: [Int?], of count: Int) -> [Int] {
        numbers.reduce(into: [Int](repeating: 0, count: count)) { shares, number in
            if let number { shares[number] += 1 }
        }
    }

    // MARK: Round robin

    @Test("Round robin gives each its share, whoever is left out", arguments: 1...7)
    func roundRobin(_ out: Int) {
        let settings = Trial.upstream { $0.health.active = ActiveHealthSettings(path: "/") }
        var balancer = UpstreamBalancer(settings, endpoints: Trial.endpoints(0..<8))
        for number in out..<8 { balancer.markHealth(Trial.endpoint(number), isHealthy: true) }
        let left = 8 - out
        let shares = shares((0..<left * 50).map { _ in balancer.number() }, of: 8)
        #expect(shares == (0..<8).map { $0 < out ? 0 : 50 })
    }

    @Test("Workers begin round robin at places of chance")
    func starts() {
        var numbers = SeededNumbers(seed: 4)
        var starts: [Int?] = []
        for _ in 0..<4000 {
            var balancer = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<4))
            starts.append(balancer.number(random: numbers.next()))
        }
        #expect(shares(starts, of: 4).allSatisfy { (850...1150).contains($0) })
    }

    // MARK: The power of two choices

    @Test("Without load the two choices are of all endpoints alike", arguments: [2, 3, 7])
    func evenChoices(_ count: Int) {
        var balancer = UpstreamBalancer(Trial.upstream(.leastRequests), endpoints: Trial.endpoints(0..<count))
        var numbers = SeededNumbers(seed: 5)
        let total = 2000 * count
        let shares = shares((0..<total).map { _ in balancer.number(random: numbers.next()) }, of: count)
        #expect(shares.allSatisfy { (1800...2200).contains($0) }, "\(shares)")
    }

    @Test("Of many requests no endpoint has many more than another")
    func balancedLoad() throws {
        var balancer = UpstreamBalancer(Trial.upstream(.leastRequests), endpoints: Trial.endpoints(0..<50))
        var numbers = SeededNumbers(seed: 6)
        var loads = [Int](repeating: 0, count: 50)
        for _ in 0..<2500 {
            let id = try balancer.chosen(random: numbers.next())
            balancer.began(id, now: Trial.time(0))
            loads[try #require(balancer.number(of: id))] += 1
        }
        // By chance alone the spread would be some 30: log n / log log n against log log n over the mean.
        let spread = try #require(loads.max()) - #require(loads.min())
        #expect(spread <= 12, "\(loads)")
    }

    @Test("A slow endpoint gets fewer requests than the others")
    func slowEndpoint() throws {
        var balancer = UpstreamBalancer(Trial.upstream(.leastRequests), endpoints: Trial.endpoints(0..<4))
        var numbers = SeededNumbers(seed: 7)
        var shares = [Int](repeating: 0, count: 4)
        var ends: [(time: Int, id: EndpointID)] = []
        for time in 0..<8000 {
            for end in ends where end.time == time { balancer.ended(end.id, .success, now: Trial.time(0)) }
            ends.removeAll { $0.time == time }
            let id = try balancer.chosen(random: numbers.next())
            balancer.began(id, now: Trial.time(0))
            let number = try #require(balancer.number(of: id))
            shares[number] += 1
            ends.append((time + (number == 0 ? 40 : 4), id))
        }
        let others = shares[1...].reduce(0, +) / 3
        #expect(shares[0] * 3 < others, "\(shares)")
    }

    // MARK: The ring

    @Test("The ring gives each endpoint its share of the agents", arguments: [2, 3, 5, 10, 20])
    func ringShares(_ count: Int) {
        var balancer = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<count))
        let shares = shares(places(&balancer), of: count)
        let mean = Self.agents / count
        #expect(shares.allSatisfy { $0 > mean * 6 / 10 && $0 < mean * 14 / 10 }, "\(shares)")
    }

    @Test("An endpoint that comes takes its share from all, and nothing else moves", arguments: [1, 2, 4, 9])
    func ringGrows(_ count: Int) {
        var balancer = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<count))
        let before = places(&balancer)
        balancer.update(endpoints: Trial.endpoints(0..<count + 1))
        let after = places(&balancer)
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $1 == count })
        let share = Self.agents / (count + 1)
        #expect(moved.count > share * 6 / 10 && moved.count < share * 14 / 10, "\(moved.count) of \(share)")
    }

    @Test("The agents of an endpoint that goes are spread over the others, and nothing else moves")
    func ringShrinks() {
        var balancer = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<5))
        let before = places(&balancer)
        balancer.update(endpoints: Trial.endpoints(1..<5))
        let after = places(&balancer)
        let moved = zip(before, after).filter { $0 != $1 }
        #expect(moved.allSatisfy { $0.0 == 0 })
        #expect(moved.count == before.count { $0 == 0 })
        #expect(shares(moved.map(\.1), of: 5)[1...].allSatisfy { $0 > moved.count / 10 })
    }

    @Test("While an endpoint is out its agents are elsewhere, and then come back")
    func ringEjection() {
        var balancer = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<5))
        let before = places(&balancer)
        let unlucky = before.firstIndex(of: 2) ?? 0
        for _ in 0..<5 {
            guard let id = balancer.id(agent: Trial.agent(unlucky)) else { continue }
            balancer.began(id, now: Trial.time(0))
            balancer.ended(id, .failure, now: Trial.time(0))
        }
        let during = places(&balancer, at: Trial.time(29))
        #expect(!during.contains(2))
        #expect(zip(before, during).allSatisfy { $0 == $1 || $0 == 2 })
        #expect(places(&balancer, at: Trial.time(30)) == before)
    }
}
