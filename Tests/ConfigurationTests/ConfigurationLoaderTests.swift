import Audit
import Bytes
import Cryptography
import Foundation
import Identity
import Policy
import Possession
import TLS
import Testing
import Tokens

@testable import Configuration

@Suite("ConfigurationLoader")
struct ConfigurationLoaderTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    private func faults(_ text: String, environment: [String: String] = [:]) throws -> [ConfigurationFault] {
        switch try files.load(text, environment: environment) {
        case .success: []
        case .failure(let faults): faults.faults
        }
    }

    private func configuration(_ text: String, environment: [String: String] = [:]) throws -> GatewayConfiguration {
        try files.load(text, environment: environment).get()
    }

    /// The example with one part replaced, which must be there once.
    private func example(_ part: String, _ replacement: String) throws -> String {
        try #require(TrialFiles.example.components(separatedBy: part).count == 2, "\(part) must be in the example once")
        return TrialFiles.example.replacingOccurrences(of: part, with: replacement)
    }

    // MARK: What is read

    @Test("The schema's example, reduced to what is built, loads")
    func exampleLoads() throws {
        let configuration = try configuration(TrialFiles.example)
        #expect(configuration.workers == 2)
        #expect(configuration.warnings == [])
        let listener = try #require(configuration.listeners.first)
        #expect(listener.name == "agents")
        #expect(listener.address == .ip(host: "127.0.0.1", port: 8443))
        #expect(listener.origins.map(\.description) == ["https://localhost:8443"])
        #expect(listener.protocols == [.h2, .http11])
        #expect(listener.minimumVersion == .v13)
        #expect(listener.clientCertificate == .required)
        #expect(listener.identity == .spiffe)
        #expect(listener.trustDomains.map(\.name) == ["example.test"])
        #expect(listener.trustDomains.map(\.bundle.count) == [1])
        #expect(listener.certificates.map(\.chain.count) == [1])
        let issuer = try #require(configuration.issuers.first)
        #expect(issuer.issuer == "https://broker.example.test")
        #expect(issuer.profile == .oauth)
        #expect(issuer.audiences == ["https://localhost:8443"])
        #expect(issuer.algorithms == [.es256, .ed25519])
        #expect(issuer.clockLeeway == .seconds(30))
        #expect(issuer.maximumTokenLifetime == .seconds(3600))
        #expect(
            issuer.claimNames
                == ClaimNames(sponsor: ["sponsor"], task: ["task_id"], orchestration: ["orchestration_id"]))
        #expect(issuer.trustDomains == ["example.test"])
        #expect(issuer.keys.count == 1)
        #expect(
            configuration.upstreams == [
                UpstreamConfiguration(name: "orders", targets: [.tcp(host: "127.0.0.1", port: 9000)])
            ])
        let route = try #require(configuration.routes.first)
        #expect(route.name == "read-order")
        #expect(route.match.methods == ["GET", "HEAD"])
        #expect(route.match.host == nil)
        #expect(route.match.path.parameterNames == ["order_id"])
        #expect(route.requirement.issuers == ["https://broker.example.test"])
        #expect(route.requirement.possession == [.certificate])
        #expect(route.requirement.scope?.text == "read:orders:{order_id}")
        #expect(route.requirement.maximumDelegationDepth == 5)
        #expect(!route.requirement.allowsSubjectMismatch)
        #expect(route.forwarding == ForwardingRule(authorization: .strip, clientCertificate: false))
        #expect(route.upstream == "orders")
        #expect(
            configuration.audit
                == AuditConfiguration(directory: "\(files.directory)/audit", durability: .batched, whenFull: .deny))
        #expect(configuration.observability == .ip(host: "127.0.0.1", port: 9464))
        #expect(configuration.limits == Limits())
        #expect(configuration.timeouts == Timeouts())
    }

    @Test("What may be left out has the schema's defaults")
    func defaults() throws {
        let text = """
            listeners:
              - name: agents
                address: "unix:s.sock"
                origins: ["https://localhost:8443"]
                tls: { certificates: [{ certificate_file: server.pem, private_key_file: server.key }] }
                clients: { trust_domains: [{ name: example.test, bundle_file: agents-ca.pem }] }
            issuers:
              - { issuer: "https://b", profile: oauth, audiences: [a], jwks_file: broker.jwks.json, algorithms: [ES256] }
            upstreams:
              - { name: orders, targets: ["unix:o.sock"] }
            routes:
              - { name: all, match: { path: "/{rest...}" }, require: { issuers: ["https://b"], possession: [svid] }, upstream: orders }
            audit: { directory: /var/log/sallyport }
            """
        let configuration = try configuration(text)
        let listener = try #require(configuration.listeners.first)
        #expect(listener.address == .unix(path: "\(files.directory)/s.sock"))
        #expect(listener.protocols == [.h2, .http11])
        #expect(listener.minimumVersion == .v13)
        #expect(listener.clientCertificate == .required)
        #expect(listener.identity == .spiffe)
        let issuer = try #require(configuration.issuers.first)
        #expect(issuer.clockLeeway == .seconds(30))
        #expect(issuer.maximumTokenLifetime == .seconds(3600))
        #expect(issuer.claimNames == .standard)
        #expect(issuer.trustDomains == nil)
        #expect(configuration.upstreams.map(\.targets) == [[.unix(path: "\(files.directory)/o.sock")]])
        let route = try #require(configuration.routes.first)
        #expect(route.match.methods == [])
        #expect(route.requirement.scope == nil)
        #expect(route.forwarding == ForwardingRule(authorization: .strip, clientCertificate: false))
        #expect(configuration.audit.directory == "/var/log/sallyport")
        #expect(configuration.audit.whenFull == .deny)
        #expect(configuration.workers == nil)
        #expect(configuration.observability == nil)
        #expect(configuration.limits == Limits())
        #expect(configuration.timeouts == Timeouts())
    }

    @Test("The digest is the SHA-256 of the file's bytes")
    func digest() throws {
        let expected = try CryptographicEngine().sha256(TrialFiles.example.utf8.span)
        #expect(try configuration(TrialFiles.example).digest == expected)
    }

    @Test("Limits and timeouts are read")
    func limits() throws {
        let configuration = try configuration(
            """
            \(TrialFiles.example.components(separatedBy: "limits:")[0])
            limits: { connections: 1, connections_per_client: 7, header_bytes: 64KiB, header_count: 2, body_bytes: 1MiB, streams: 3, token_bytes: 16KiB, proof_bytes: 1KiB }
            timeouts: { handshake: 1s, head: 2s, idle: 3m, upstream_connect: 250ms, upstream_response: 1h, drain: 0s }
            """)
        let limits = configuration.limits
        let counts: [Int] = [limits.connections, limits.connectionsPerClient, limits.headerCount, limits.streams]
        #expect(counts == [1, 7, 2, 3])
        let sizes: [Int] = [limits.headerBytes, limits.tokenBytes, limits.proofBytes]
        #expect(sizes == [64 << 10, 16 << 10, 1 << 10])
        #expect(limits.bodyBytes == 1 << 20)
        let timeouts = configuration.timeouts
        #expect([timeouts.handshake, timeouts.head, timeouts.idle] == [.seconds(1), .seconds(2), .seconds(180)])
        #expect([timeouts.upstreamConnect, timeouts.upstreamResponse] == [.milliseconds(250), .seconds(3600)])
        #expect(timeouts.drain == .zero)
    }

    @Test(
        "Other values of the schema load too",
        arguments: [
            ("resumption: off", "resumption: \"off\""), ("minimum_version: \"1.3\"", "minimum_version: 1.2"),
            ("certificate: required", "certificate: optional"), ("identity: spiffe", "identity: any"),
            ("protocols: [h2, http/1.1]", "protocols: [http/1.1]"), ("durability: batched", "durability: synced"),
            ("when_full: deny", "when_full: wait"), ("possession: [certificate]", "possession: [certificate, svid]"),
            ("authorization: strip, client_cert: false", "authorization: bearer, client_cert: true"),
            ("authorization: strip", "authorization: keep"),
            ("scope: \"read:orders:{order_id}\"", "scope: read:orders:*"),
            (
                "[\"https://localhost:8443\"]\n    protocols",
                "[\"https://localhost:8443\", \"https://localhost\"]\n    protocols"
            ),
            ("[GET, HEAD], path: \"/orders/{order_id}\"", "[M-SEARCH], host: LOCALHOST, path: \"/orders/{order_id}\""),
            ("127.0.0.1:9464", "unix:o.sock"),
            ("algorithms: [ES256, Ed25519]", "algorithms: [ES256, EdDSA, PS512, RS256]"),
            ("clock_leeway: 30s", "clock_leeway: 0s"), ("bundle_file: agents-ca.pem", "bundle_file: ./agents-ca.pem"),
        ])
    func accepts(_ part: String, _ replacement: String) throws {
        #expect(try faults(example(part, replacement)).isEmpty)
    }

    // MARK: What is refused

    @Test("Each rule is kept, and the fault names key path and remedy", arguments: Rule.all)
    private func rule(_ rule: Rule) throws {
        let faults = try faults(example(rule.part, rule.replacement))
        #expect(faults.map(\.keyPath) == [rule.keyPath])
        #expect(faults.first?.message.contains(rule.message) == true, "\(faults)")
        #expect(faults.first?.line != nil)
    }

    @Test("Many errors are found at once, each with its line and key path")
    func manyErrors() throws {
        let text = """
            wrokers: 2
            listeners:
              - name: agents
                address: "127.0.0.1"
                origins: ["https://localhost:8443/"]
                tls:
                  certificates:
                    - { certificate_file: missing.pem, private_key_file: garbage.pem }
                  resumption: none
                clients:
                  identity: spiffe
                  trust_domains:
                    - { name: Example.test, bundle_file: empty.pem, crl_file: a.crl }
            upstreams:
              - name: orders
                targets: ["https://127.0.0.1:9000"]
                protocol: h2
            routes:
              - name: read-order
                match: { path: "orders" }
                require:
                  issuers: ["https://nobody"]
                upstream: ordres
              - name: read-order
                name: again
            revocation:
              feeds: none
            limits: { connections: many, connections: 1 }
            timeouts: { idle: 75 }
            """
        let places = try faults(text).map { "\($0.line ?? 0) \($0.keyPath)" }
        #expect(
            places == [
                "1 wrokers", "1 audit",
                "4 listeners[0].address", "5 listeners[0].origins[0]",
                "8 listeners[0].tls.certificates[0].certificate_file",
                "8 listeners[0].tls.certificates[0].private_key_file",
                "9 listeners[0].tls.resumption",
                "13 listeners[0].clients.trust_domains[0].name",
                "13 listeners[0].clients.trust_domains[0].bundle_file",
                "13 listeners[0].clients.trust_domains[0].crl_file",
                "15 upstreams[0].tls",
                "20 routes[0].match.path", "21 routes[0].require.possession", "22 routes[0].require.issuers[0]",
                "23 routes[0].upstream", "24 routes[1].name", "24 routes[1].match", "24 routes[1].require",
                "24 routes[1].upstream",
                "25 routes[1].name", "27 revocation.feeds", "28 limits.connections", "28 limits.connections",
                "29 timeouts.idle",
            ])
    }

    @Test("An issuer's name that is refused cannot be referred to")
    func issuerName() throws {
        let faults = try faults(example("issuer: https://broker.example.test", "issuer: \"a b\""))
        #expect(faults.map(\.keyPath) == ["issuers[0].issuer", "routes[0].require.issuers[0]"])
    }

    @Test("A missing file is one fault without a line")
    func missingFile() {
        #expect {
            try GatewayConfiguration.load(file: "/nonexistent/sallyport.yaml", environment: [:])
        } throws: { error in
            (error as? ConfigurationFaults)?.faults.map(\.description) == [
                "/nonexistent/sallyport.yaml: the file does not exist; create it or correct the path"
            ]
        }
    }

    @Test("A file that is not text is refused")
    func notText() throws {
        let path = "\(files.directory)/binary.yaml"
        try Data([0x61, 0xFF, 0xFE]).write(to: URL(fileURLWithPath: path))
        #expect(throws: ConfigurationFaults.self) {
            try GatewayConfiguration.load(file: path, environment: [:])
        }
    }

    @Test("A document that is not a mapping is refused", arguments: ["a\n", "[a]\n", "---\n", "42\n"])
    func notAMapping(_ text: String) throws {
        #expect(try faults(text).count == 1)
    }

    // MARK: Environment

    @Test("SALLYPORT_WORKERS overrides workers")
    func workersOverridden() throws {
        #expect(try configuration(TrialFiles.example, environment: ["SALLYPORT_WORKERS": "7"]).workers == 7)
        #expect(try configuration(TrialFiles.example, environment: ["SALLYPORT_WORKERS": ""]).workers == 2)
    }

    @Test("SALLYPORT_WORKERS must be a number of workers", arguments: ["0", "x", "-1", "1025"])
    func workersRefused(_ value: String) throws {
        let faults = try faults(TrialFiles.example, environment: ["SALLYPORT_WORKERS": value])
        #expect(faults.map(\.keyPath) == ["SALLYPORT_WORKERS"])
        #expect(faults.map(\.line) == [nil])
    }

    // MARK: Warnings

    @Test(
        "What is doubtful is a warning",
        arguments: [
            (
                "certificate_file: server.pem", "certificate_file: expired.pem",
                "certificate_file: the certificate has expired"
            ),
            (
                "certificate_file: server.pem", "certificate_file: future.pem",
                "certificate_file: the certificate is not valid yet"
            ),
            (
                "certificate_file: server.pem", "certificate_file: other.pem",
                "tls.certificates: no certificate names localhost"
            ),
            ("private_key_file: server.key", "private_key_file: open.key", "private_key_file: other users may read"),
            ("resumption: off", "dangerously_log_tls_keys: a.keys", "dangerously_log_tls_keys: DANGER: the secrets"),
            ("agents-ca.pem", "rotated-ca.pem", "bundle_file: \"CN=expired\" in the bundle has expired"),
            ("127.0.0.1:9464", "0.0.0.0:9464", "observability.address: anyone who reaches"),
            ("subject_mismatch: false", "subject_mismatch: true", "dangerously_allow_subject_mismatch: any agent"),
            ("{ methods: [GET, HEAD],", "{ host: else.example,", "routes[0].match.host: no listener has an origin"),
            ("[ES256, Ed25519]", "[Ed25519]", "issuers[0].jwks_file: no key of the set"),
        ])
    func warnings(_ part: String, _ replacement: String, _ warning: String) throws {
        let warnings = try configuration(example(part, replacement)).warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains(warning) == true, "\(warnings)")
    }

    @Test("Sessions are resumed unless that is off; their secrets are logged only where that is asked for")
    func resumption() throws {
        let off = try #require(try configuration(TrialFiles.example).listeners.first)
        #expect(!off.resumption && off.keyLogFile == nil)
        let bound = try #require(try configuration(example("resumption: off", "resumption: bound")).listeners.first)
        #expect(bound.resumption)
        let logged = try example("resumption: off", "dangerously_log_tls_keys: a.keys")
        let listener = try #require(try configuration(logged).listeners.first)
        #expect(listener.resumption && listener.keyLogFile?.hasSuffix("/a.keys") == true)
    }

    @Test("A configuration without routes loads, and warns")
    func noRoutes() throws {
        let parts = TrialFiles.example.components(separatedBy: "routes:")
        let rest = try #require(parts.last?.components(separatedBy: "audit:\n").last)
        let configuration = try configuration(parts[0] + "audit:\n" + rest)
        #expect(configuration.routes.isEmpty)
        #expect(configuration.warnings.count == 1)
    }
}
