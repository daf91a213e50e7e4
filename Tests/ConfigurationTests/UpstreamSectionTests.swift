import Bytes
import Foundation
import Testing

@testable import Configuration

@Suite("UpstreamSection")
struct UpstreamSectionTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    /// The upstream of the example with these lines in place of its targets and protocol.
    private func upstream(_ lines: String) throws -> UpstreamConfiguration {
        let part = "    targets: [\"http://127.0.0.1:9000\"]\n    protocol: http/1.1\n"
        try #require(TrialFiles.example.contains(part))
        let text = TrialFiles.example.replacingOccurrences(of: part, with: lines + "\n")
        return try #require(files.load(text).get().upstreams.first)
    }

    @Test("What may be left out has its default")
    func defaults() throws {
        let upstream = try upstream("    targets: [\"http://127.0.0.1:9000\"]")
        #expect(upstream.name == "orders")
        #expect(upstream.targets == [.tcp(host: "127.0.0.1", port: 9000)])
        #expect(upstream.speaks == .http11)
        #expect(upstream.tls == nil)
        #expect(upstream.balance == .roundRobin)
        #expect(upstream.health == HealthSettings())
        #expect(upstream.health.active == nil)
        #expect(upstream.health.passive == PassiveHealthSettings())
        #expect(upstream.retries == RetrySettings())
        #expect(upstream.breaker == CircuitBreakerSettings())
        #expect(upstream.timeouts == UpstreamTimeouts())
        #expect(!upstream.sendsProxyHeader)
        #expect(upstream.dnsRefresh == .seconds(30))
    }

    @Test("Everything that is written is taken")
    func everything() throws {
        let upstream = try upstream(
            """
                targets: ["http://a:1", "http://[::1]:2", "unix:/run/o.sock"]
                protocol: h2
                balance: agent_hash
                health:
                  active: { path: "/healthz?deep=1", interval: 1s, timeout: 500ms, healthy_after: 4, unhealthy_after: 5 }
                  passive: { failures: 7, eject_for: 1m, maximum_ejected: 25 }
                retries: { attempts: 2, budget: 10 }
                circuit_breaker: { connections: 1, pending: 2, requests: 3 }
                timeouts: { connect: 1s, response: 2s, idle: 3s }
                proxy_protocol: v2
                dns: { refresh: 5s }
            """)
        #expect(upstream.targets == [.tcp(host: "a", port: 1), .tcp(host: "::1", port: 2), .unix(path: "/run/o.sock")])
        #expect(upstream.speaks == .h2)
        #expect(upstream.balance == .agentHash)
        var active = ActiveHealthSettings(path: "/healthz?deep=1")
        active.interval = .seconds(1)
        active.timeout = .milliseconds(500)
        active.healthyAfter = 4
        active.unhealthyAfter = 5
        #expect(upstream.health.active == active)
        #expect(upstream.health.passive?.failures == 7)
        #expect(upstream.health.passive?.ejectFor == .seconds(60))
        #expect(upstream.health.passive?.maximumEjected == 25)
        #expect(upstream.retries.attempts == 2)
        #expect(upstream.retries.budget == 10)
        #expect(upstream.breaker.connections == 1)
        #expect(upstream.breaker.pending == 2)
        #expect(upstream.breaker.requests == 3)
        #expect(upstream.sendsProxyHeader)
        #expect(upstream.dnsRefresh == .seconds(5))
        let timeouts = upstream.timeouts(over: Timeouts())
        #expect(timeouts == (connect: .seconds(1), response: .seconds(2), idle: .seconds(3)))
    }

    @Test("Timeouts that an upstream does not have are the global ones")
    func globalTimeouts() throws {
        let upstream = try upstream("    targets: [\"http://a\"]\n    timeouts: { response: 7s }")
        let timeouts = upstream.timeouts(over: Timeouts())
        #expect(timeouts == (connect: .seconds(2), response: .seconds(7), idle: .seconds(75)))
    }

    @Test("Passive health can be switched off")
    func passiveOff() throws {
        let upstream = try upstream("    targets: [\"http://a\"]\n    health: { passive: off }")
        #expect(upstream.health.passive == nil)
    }

    @Test("Targets of the scheme h2c speak HTTP/2", arguments: ["", "    protocol: h2"])
    func priorKnowledge(_ line: String) throws {
        let upstream = try upstream("    targets: [\"h2c://a:1\", \"unix:/b\"]\n\(line)")
        #expect(upstream.speaks == .h2)
        #expect(upstream.targets == [.h2c(host: "a", port: 1), .unix(path: "/b")])
        #expect(upstream.targets.map(\.description) == ["h2c://a:1", "unix:/b"])
        #expect(upstream.targets.map(\.isSecure) == [false, false])
    }

    @Test("Targets over TLS come with whom to trust", arguments: ["", "    protocol: h2"])
    func secure(_ line: String) throws {
        let upstream = try upstream(
            "    targets: [\"https://a\", \"https://[::1]:8443\"]\n    tls: { ca_file: agents-ca.pem }\n\(line)")
        #expect(upstream.targets == [.tls(host: "a", port: 443), .tls(host: "::1", port: 8443)])
        #expect(upstream.targets.map(\.description) == ["https://a:443", "https://[::1]:8443"])
        #expect(upstream.targets.map(\.isSecure) == [true, true])
        #expect(upstream.tls?.authorities.count == 1)
    }
}
