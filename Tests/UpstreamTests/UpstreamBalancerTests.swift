import Bytes
import Configuration
import Reactor
import Testing
import Upstream

@Suite("UpstreamBalancer")
struct UpstreamBalancerTests {
    // MARK: Choosing

    @Test("Round robin goes through the endpoints in order, over and over, from a place of chance")
    func roundRobin() {
        var balancer = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<3))
        let first = (0..<6).map { _ in balancer.number(random: 0) }
        #expect(first == [0, 1, 2, 0, 1, 2])
        var other = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<3))
        let second = (0..<4).map { _ in other.number(random: .max) }
        #expect(second == [2, 0, 1, 2])
    }

    @Test("Where no address is known there is no choice", arguments: BalancingPolicy.allCases)
    func none(_ policy: BalancingPolicy) {
        var balancer = UpstreamBalancer(Trial.upstream(policy), endpoints: [])
        #expect(balancer.choose(agentHash: 1, random: 2, now: Trial.time(0)) == .none)
        balancer.update(endpoints: Trial.endpoints(0..<1))
        #expect(balancer.number() == 0)
    }

    @Test("An endpoint that was tried is avoided while there is another", arguments: BalancingPolicy.allCases)
    func excludes(_ policy: BalancingPolicy) throws {
        var numbers = SeededNumbers(seed: 1)
        for _ in 0..<200 {
            var balancer = UpstreamBalancer(Trial.upstream(policy), endpoints: Trial.endpoints(0..<4))
            var tried: [EndpointID] = []
            for _ in 0..<4 {
                let id = try balancer.chosen(agent: numbers.next(), random: numbers.next(), excluding: tried)
                #expect(!tried.contains(id))
                tried.append(id)
            }
            #expect(balancer.id(agent: numbers.next(), random: numbers.next(), excluding: tried) != nil)
        }
    }

    @Test("Of two at random the one with fewer requests is chosen")
    func twoChoices() throws {
        var balancer = UpstreamBalancer(Trial.upstream(.leastRequests), endpoints: Trial.endpoints(0..<2))
        let busy = try balancer.chosen()
        balancer.began(busy, now: Trial.time(0))
        var numbers = SeededNumbers(seed: 2)
        for _ in 0..<100 { #expect(balancer.id(random: numbers.next()) != busy) }
        balancer.ended(busy, .success, now: Trial.time(0))
        let free = Set((0..<100).compactMap { _ in balancer.number(random: numbers.next()) })
        #expect(free == [0, 1])
    }

    @Test("An agent keeps to its endpoint, whatever the list's order")
    func agentHash() {
        var one = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<5))
        var other = UpstreamBalancer(Trial.upstream(.agentHash), endpoints: Trial.endpoints(0..<5).reversed())
        for agent in 0..<100 {
            let chosen = one.number(agent: Trial.agent(agent), random: 0)
            #expect(chosen == one.number(agent: Trial.agent(agent), random: .max))
            #expect(chosen == other.number(agent: Trial.agent(agent)))
        }
    }

    // MARK: Endpoints that change

    @Test("An endpoint that stays keeps its state, and one that goes and comes back does not")
    func update() {
        var balancer = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<2))
        balancer.fail([0], times: 5, at: Trial.time(0))
        #expect(!balancer.isAvailable(Trial.endpoint(0), now: Trial.time(1)))
        balancer.update(endpoints: Trial.endpoints(0..<3))
        #expect(!balancer.isAvailable(Trial.endpoint(0), now: Trial.time(1)))
        balancer.update(endpoints: Trial.endpoints(1..<3))
        balancer.update(endpoints: Trial.endpoints(0..<3))
        #expect(balancer.isAvailable(Trial.endpoint(0), now: Trial.time(1)))
        #expect(balancer.endpoints == Trial.endpoints(0..<3))
    }

    @Test("What ends at an endpoint that has gone does not touch the one in its place")
    func generations() throws {
        let settings = Trial.upstream(.leastRequests) { $0.health.passive?.maximumEjected = 100 }
        var balancer = UpstreamBalancer(settings, endpoints: Trial.endpoints(0..<1))
        let gone = try balancer.chosen()
        for _ in 0..<5 { balancer.began(gone, now: Trial.time(0)) }
        balancer.update(endpoints: Trial.endpoints(1..<2))
        #expect(balancer.endpoint(gone) == nil)
        #expect(balancer.breaker.requests == 5)
        for _ in 0..<5 { #expect(balancer.ended(gone, .failure, now: Trial.time(0)) == false) }
        #expect(balancer.breaker.requests == 0)
        #expect(balancer.isAvailable(Trial.endpoint(1), now: Trial.time(0)))
        #expect(balancer.number() == 1)
    }

    @Test("An address that is given twice is one endpoint, and of two targets it is two")
    func duplicates() {
        let other = UpstreamEndpoint(target: .tls(host: "orders", port: 80), address: Trial.endpoint(0).address)
        let balancer = UpstreamBalancer(
            Trial.upstream(), endpoints: [Trial.endpoint(0), Trial.endpoint(0), other])
        #expect(balancer.endpoints == [Trial.endpoint(0), other])
    }

    // MARK: Active health

    @Test("Where endpoints are asked, only those that have answered well are chosen")
    func activeHealth() {
        let settings = Trial.upstream { $0.health.active = ActiveHealthSettings(path: "/") }
        var balancer = UpstreamBalancer(settings, endpoints: Trial.endpoints(0..<3))
        balancer.markHealth(Trial.endpoint(1), isHealthy: true)
        #expect((0..<3).map { _ in balancer.number() } == [1, 1, 1])
        balancer.markHealth(Trial.endpoint(2), isHealthy: true)
        balancer.markHealth(Trial.endpoint(1), isHealthy: false)
        balancer.markHealth(Trial.endpoint(9), isHealthy: true)
        #expect((0..<3).map { _ in balancer.number() } == [2, 2, 2])
    }

    @Test("Where none is available all are chosen from", arguments: BalancingPolicy.allCases)
    func allDown(_ policy: BalancingPolicy) {
        let settings = Trial.upstream(policy) { $0.health.active = ActiveHealthSettings(path: "/") }
        var balancer = UpstreamBalancer(settings, endpoints: Trial.endpoints(0..<3))
        var numbers = SeededNumbers(seed: 3)
        let chosen = Set((0..<100).compactMap { _ in balancer.number(agent: numbers.next(), random: numbers.next()) })
        #expect(chosen == [0, 1, 2])
        balancer.markHealth(Trial.endpoint(2), isHealthy: true)
        let healthy = Set((0..<100).compactMap { _ in balancer.number(agent: numbers.next(), random: numbers.next()) })
        #expect(healthy == [2])
    }

    @Test("A reload that begins to ask counts endpoints as unhealthy, and one that ends it as healthy")
    func adoptsHealth() {
        let asked = Trial.upstream { $0.health.active = ActiveHealthSettings(path: "/") }
        var balancer = UpstreamBalancer(Trial.upstream(), endpoints: Trial.endpoints(0..<2))
        #expect(balancer.isAvailable(Trial.endpoint(0), now: Trial.time(0)))
        balancer.adopt(asked, endpoints: Trial.endpoints(0..<2))
        #expect(!balancer.isAvailable(Trial.endpoint(0), now: Trial.time(0)))
        balancer.markHealth(Trial.endpoint(0), isHealthy: true)
        balancer.adopt(asked, endpoints: Trial.endpoints(0..<2))
        #expect(balancer.isAvailable(Trial.endpoint(0), now: Trial.time(0)))
        balancer.adopt(Trial.upstream(), endpoints: Trial.endpoints(0..<2))
        #expect(balancer.isAvailable(Trial.endpoint(1), now: Trial.time(0)))
    }

    // MARK: Overload

    @Test("Beyond the bound of requests there is no endpoint, and an end makes room")
    func requestLimit() throws {
        var balancer = UpstreamBalancer(
            Trial.upstream { $0.breaker.requests = 2 }, endpoints: Trial.endpoints(0..<1))
        let id = try balancer.chosen()
        balancer.began(id, now: Trial.time(0))
        balancer.began(id, now: Trial.time(0))
        #expect(balancer.choose(agentHash: 0, random: 0, now: Trial.time(0)) == .overloaded(.requests))
        balancer.ended(id, .cancelled, now: Trial.time(0))
        #expect(balancer.id() == id)
    }

    @Test("Beyond the bounds of connections and of waiting no connection is opened")
    func connectionLimits() {
        var balancer = UpstreamBalancer(
            Trial.upstream {
                $0.breaker.connections = 2
                $0.breaker.pending = 1
            }, endpoints: Trial.endpoints(0..<1))
        #expect(balancer.breaker.connectionRefusal == nil)
        balancer.connectionOpened()
        balancer.waitBegan()
        #expect(balancer.breaker.connectionRefusal == .pending)
        #expect(balancer.breaker.waitRefusal == .pending)
        balancer.waitEnded()
        #expect(balancer.breaker.connectionRefusal == nil)
        balancer.connectionOpened()
        #expect(balancer.breaker.connectionRefusal == .connections)
        #expect(balancer.breaker.waitRefusal == nil)
        balancer.connectionClosed()
        #expect(balancer.breaker.connectionRefusal == nil)
    }
}
