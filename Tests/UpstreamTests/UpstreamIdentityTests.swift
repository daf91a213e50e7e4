import Bytes
import Configuration
import Cryptography
import TLS
import Testing
import Upstream

@Suite("UpstreamIdentity")
struct UpstreamIdentityTests {
    private func identity(
        _ target: UpstreamTarget = .tls(host: "a", port: 443),
        _ change: (inout UpstreamConfiguration) throws -> Void = { _ in }
    ) throws -> UpstreamIdentity {
        var upstream = UpstreamConfiguration(name: "orders", targets: [target])
        try change(&upstream)
        return try UpstreamIdentity(upstream, target: target, engine: CryptographicEngine())
    }

    private func authority(_ name: String) throws -> Certificate {
        try CertificateAuthority.make(
            commonName: name, validFor: UnixTime(seconds: 0)...UnixTime(seconds: 2_000_000_000)
        ).certificate
    }

    @Test("The same settings make the same identity")
    func same() throws {
        let one = try authority("one")
        let both = try (0..<2).map { _ in try identity { $0.tls = UpstreamTLS(authorities: [one]) } }
        #expect(Set(both).count == 1)
    }

    @Test("Whatever makes a connection another one makes another identity")
    func differences() throws {
        let (one, two) = (try authority("one"), try authority("two"))
        let plain = UpstreamTLS(authorities: [one])
        let identities = [
            try identity { $0.tls = plain },
            try identity(.tls(host: "b", port: 443)) { $0.tls = plain },
            try identity(.tcp(host: "a", port: 443)),
            try identity {
                $0.tls = plain
                $0.name = "order"
            },
            try identity {
                $0.tls = plain
                $0.speaks = .h2
            },
            try identity {
                $0.tls = plain
                $0.sendsProxyHeader = true
            },
            try identity { $0.tls = UpstreamTLS(authorities: [two]) },
            try identity { $0.tls = UpstreamTLS(authorities: [one, two]) },
            try identity { $0.tls = UpstreamTLS(authorities: [one], serverName: "a") },
        ]
        #expect(Set(identities).count == identities.count)
    }

    @Test("What does not bear on trust makes no other identity")
    func indifferent() throws {
        let plain = try identity(.tcp(host: "a", port: 80))
        let other = try identity(.tcp(host: "a", port: 80)) {
            $0.balance = .agentHash
            $0.retries.attempts = 0
            $0.timeouts.idle = .seconds(1)
        }
        #expect(plain == other)
    }
}
