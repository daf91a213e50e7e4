import Bytes
import Foundation
import Identity
import Limits
import Policy
import ProxyProtocol
import Testing

@testable import Configuration

@Suite("What a listener or a route lets through, and how much")
struct ListenerModeTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    /// A configuration with one listener that passes bytes; `lines` stand among its keys.
    private func passing(_ lines: String, clients: String = "certificate: required") -> String {
        """
        listeners:
          - name: database
            address: "127.0.0.1:5432"
            mode: tcp
            \(lines.replacingOccurrences(of: "\n", with: "\n    "))
            tls: { certificates: [{ certificate_file: server.pem, private_key_file: server.key }] }
            clients:
              \(clients)
              trust_domains: [{ name: example.test, bundle_file: agents-ca.pem }]
        upstreams: [{ name: db, targets: ["http://127.0.0.1:9000"] }]
        routes: []
        audit: { directory: audit }
        """
    }

    private func example(_ part: String, _ replacement: String) throws -> String {
        try #require(TrialFiles.example.components(separatedBy: part).count == 2)
        return TrialFiles.example.replacingOccurrences(of: part, with: replacement)
    }

    private func faults(_ text: String) throws -> [String] {
        switch try files.load(text) {
        case .success: []
        case .failure(let faults): faults.faults.map { "\($0.keyPath): \($0.message)" }
        }
    }

    private let allowed = "upstream: db\nallow: [\"spiffe://example.test/agent/*\", \"spiffe://example.test/db\"]"

    // MARK: tcp

    @Test("A listener passes requests where it does not say otherwise")
    func http() throws {
        for text in [TrialFiles.example, try example("    protocols:", "    mode: http\n    protocols:")] {
            let listener = try #require(try files.load(text).get().listeners.first)
            let isHTTP = if case .http = listener.mode { true } else { false }
            #expect(isHTTP)
            #expect(listener.proxyPeers.isEmpty)
            #expect(listener.limits == nil)
        }
    }

    @Test("A listener that passes bytes names its upstream and its agents, and needs no origin")
    func tcp() throws {
        let configuration = try files.load(passing(allowed)).get()
        #expect(configuration.warnings == [])
        let listener = try #require(configuration.listeners.first)
        guard case .tcp(let upstream, let rule) = listener.mode else {
            Issue.record("not tcp")
            return
        }
        #expect(upstream == "db")
        #expect(rule.allowed.map(\.text) == ["spiffe://example.test/agent/*", "spiffe://example.test/db"])
        #expect(listener.origins.isEmpty)
        #expect(listener.protocols.isEmpty)
    }

    @Test(
        "What a listener that passes bytes cannot do without, or must not have, is told",
        arguments: [
            ("allow: [\"spiffe://example.test/db\"]", "listeners[0].upstream: the key is missing"),
            ("upstream: db", "listeners[0].allow: the key is missing"),
            ("upstream: db\nallow: []", "listeners[0].allow: the list is empty"),
            ("upstream: db\nallow: [\"*\"]", "listeners[0].allow[0]: \"*\" is not understood"),
            ("upstream: db\nallow: [\"spiffe://*\"]", "listeners[0].allow[0]: \"spiffe://*\" is not understood"),
            ("upstream: db\nallow: [\"spiffe://a/b*\"]", "listeners[0].allow[0]: \"spiffe://a/b*\" is not understood"),
            (
                "upstream: bd\nallow: [\"spiffe://example.test/*\"]",
                "listeners[0].upstream: there is no upstream \"bd\""
            ),
            (
                "upstream: db\nallow: [\"spiffe://example.test/*\"]\norigins: [\"https://a\"]",
                "listeners[0].origins: bytes that pass name no origin"
            ),
            (
                "upstream: db\nallow: [\"spiffe://example.test/*\"]\nprotocols: [h2]",
                "listeners[0].protocols: no protocol is agreed"
            ),
        ])
    func tcpRefused(_ lines: String, _ message: String) throws {
        let faults = try faults(passing(lines))
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix(message) == true, "\(faults)")
    }

    @Test(
        "Who passes bytes must show an X509-SVID",
        arguments: ["certificate: optional", "identity: any"])
    func anonymous(_ clients: String) throws {
        let faults = try faults(passing(allowed, clients: clients))
        #expect(faults.count == 1)
        #expect(faults.first?.hasPrefix("listeners[0].clients: a tcp listener knows clients") == true, "\(faults)")
    }

    @Test("An agent of a trust domain that the listener has not is a warning")
    func foreign() throws {
        let text = passing("upstream: db\nallow: [\"spiffe://other.test/*\"]")
        let warnings = try files.load(text).get().warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("no trust domain other.test") == true)
    }

    // MARK: proxy_protocol

    @Test("Peers that speak for others are blocks of addresses, or single ones")
    func peers() throws {
        let text = try example(
            "    protocols:",
            "    proxy_protocol: { from: [\"10.0.0.0/8\", 127.0.0.1, \"2001:db8::/32\"] }\n    protocols:")
        let peers = try #require(try files.load(text).get().listeners.first).proxyPeers
        #expect(
            peers == [
                AddressBlock(.ipv4(10 << 24), prefixLength: 8), AddressBlock(.ipv4(0x7F00_0001), prefixLength: 32),
                AddressBlock(.ipv6(0x2001_0DB8_0000_0000, 0), prefixLength: 32),
            ])
    }

    @Test("To believe everyone is a warning", arguments: ["0.0.0.0/0", "::/0"])
    func everyone(_ block: String) throws {
        let text = try example("    protocols:", "    proxy_protocol: { from: [\"\(block)\"] }\n    protocols:")
        let warnings = try files.load(text).get().warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("everyone is believed") == true)
    }

    @Test(
        "What is no block of addresses is none",
        arguments: [
            "", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08x", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8", "010.0.0.0/8",
            "::/129", "2001:db8::1/32", "[::1]/128", "::1%lo", "/8", "10.0.0.0 /8",
        ])
    func noBlock(_ text: String) {
        #expect(AddressBlock(text) == nil)
    }

    // MARK: limits

    @Test("Limits are of all and of each agent, on listeners and on routes")
    func limits() throws {
        let text = try example(
            "    protocols:",
            "    limits: { requests_per_second: 100, burst: 200, concurrent: 50, bytes_per_second: 1MiB }\n    protocols:"
        )
        let listener = try #require(try files.load(text).get().listeners.first)
        let own = RateLimit(requestsPerSecond: 100, burst: 200, concurrent: 50, bytesPerSecond: 1 << 20)
        #expect(listener.limits == LimitScope(.listener, name: "agents", settings: LimitSettings(own: own)))
        let other = try example(
            "    upgrades: []", "    limits: { concurrent: 9, per_agent: { requests_per_second: 5 } }")
        let route = try #require(try files.load(other).get().routes.first)
        let settings = LimitSettings(
            own: RateLimit(concurrent: 9), perAgent: RateLimit(requestsPerSecond: 5, burst: 5))
        #expect(route.limits == LimitScope(.route, name: "read-order", settings: settings))
        #expect(route.upgrades.isEmpty)
    }

    @Test("Upgrades are read in lower case; none is allowed that is not named")
    func upgrades() throws {
        let text = try example("upgrades: []", "upgrades: [WebSocket, my-protocol/1]")
        let route = try #require(try files.load(text).get().routes.first)
        #expect(route.upgrades == ["websocket", "my-protocol/1"])
        let allowed = ["websocket", "my-protocol/1", "websockets", "WebSocket", ""].map { token in
            let bytes = Array(token.utf8)
            return route.allowsUpgrade(to: bytes.span)
        }
        #expect(allowed == [true, true, false, false, false])
        let plain = try #require(try files.load(TrialFiles.example).get().routes.first)
        #expect(plain.upgrades.isEmpty)
    }
}
