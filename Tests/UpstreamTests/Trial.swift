import Bytes
import Configuration
import Reactor
import Testing
import Upstream

/// Endpoints and moments for trials.
enum Trial {
    static func endpoint(_ number: Int) -> UpstreamEndpoint {
        UpstreamEndpoint(
            target: .tcp(host: "orders", port: 80),
            address: .ipv4(0x0A00_0000 + UInt32(number), port: 80))
    }

    static func endpoints(_ numbers: Range<Int>) -> [UpstreamEndpoint] { numbers.map(endpoint) }

    static func upstream(
        _ balance: BalancingPolicy = .roundRobin, _ change: (inout UpstreamConfiguration) -> Void = { _ in }
    ) -> UpstreamConfiguration {
        var upstream = UpstreamConfiguration(name: "orders", targets: [.tcp(host: "orders", port: 80)])
        upstream.balance = balance
        change(&upstream)
        return upstream
    }

    static func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    static func agent(_ number: Int) -> UInt64 {
        AgentHash.of("spiffe://example.test/agent/\(number)".utf8Span.span)
    }
}

/// Numbers that are the same in every run (SplitMix64).
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
}

extension UpstreamBalancer {
    /// The number of the endpoint that is chosen, or nothing.
    mutating func number(
        agent: UInt64 = 0, random: UInt64 = 0, excluding tried: [EndpointID] = [],
        at time: MonotonicTime = Trial.time(0)
    ) -> Int? {
        id(agent: agent, random: random, excluding: tried, at: time).flatMap { number(of: $0) }
    }

    /// The endpoint that is chosen, or nothing.
    mutating func id(
        agent: UInt64 = 0, random: UInt64 = 0, excluding tried: [EndpointID] = [],
        at time: MonotonicTime = Trial.time(0)
    ) -> EndpointID? {
        guard case .endpoint(let id) = choose(agentHash: agent, random: random, excluding: tried, now: time) else {
            return nil
        }
        return id
    }

    /// The endpoint that is chosen; there must be one.
    mutating func chosen(
        agent: UInt64 = 0, random: UInt64 = 0, excluding tried: [EndpointID] = [],
        at time: MonotonicTime = Trial.time(0)
    ) throws -> EndpointID {
        let id = id(agent: agent, random: random, excluding: tried, at: time)
        return try #require(id)
    }

    func number(of id: EndpointID) -> Int? {
        guard let endpoint = endpoint(id), case .ipv4(let host, _) = endpoint.address else { return nil }
        return Int(host) - 0x0A00_0000
    }

    /// Lets a call fail at each of these endpoints, so many times in a row.
    mutating func fail(_ numbers: [Int], times: Int, at time: MonotonicTime) {
        for number in numbers {
            for _ in 0..<times {
                while let id = id(at: time) {
                    began(id, now: time)
                    let isMeant = self.number(of: id) == number
                    ended(id, isMeant ? .failure : .cancelled, now: time)
                    if isMeant { break }
                }
            }
        }
    }
}
