import Bytes
import Cryptography
import Foundation
import Policy
import Testing
import Tokens

@testable import Configuration

@Suite("IssuerSection")
struct IssuerSectionTests {
    private let files: TrialFiles

    init() throws {
        files = try #require(TrialFiles.shared)
    }

    private static let signed = "jwks_file: broker.jwks.json\n    algorithms: [ES256, Ed25519]"

    /// The configuration of the example with one part replaced, which must be there once.
    private func configuration(_ part: String, _ replacement: String) throws -> GatewayConfiguration {
        try #require(TrialFiles.example.components(separatedBy: part).count == 2, "\(part) must be in the example once")
        return try files.load(TrialFiles.example.replacingOccurrences(of: part, with: replacement)).get()
    }

    private func issuer(_ part: String, _ replacement: String) throws -> TokenIssuer {
        try #require(try configuration(part, replacement).issuers.first)
    }

    // MARK: Profiles

    @Test("An AgentWrit broker's clock is ours, unless the configuration says otherwise")
    func agentWrit() throws {
        let broker = """
            profile: agentwrit
                audiences: [a]
                jwks_file: broker.jwks.json
                algorithms: [EdDSA, Ed25519]
            """
        let part = "profile: oauth\n    audiences: [\"https://localhost:8443\"]\n    \(Self.signed)"
        let timed = try issuer(part, broker)
        #expect(timed.profile == .agentwrit)
        #expect(timed.clockLeeway == .seconds(30))
        #expect(timed.algorithms == [.edDSA, .ed25519])
        let untimed = try issuer(part + "\n    clock_leeway: 30s", broker)
        #expect(untimed.clockLeeway == .zero)
        #expect(try issuer("    clock_leeway: 30s\n", "").clockLeeway == .seconds(30))
    }

    @Test(
        "An issuer of workloads' tokens needs no audiences, and may have them",
        arguments: [
            ("wimse", TokenProfile.wimse), ("wit-svid", .witSVID),
        ])
    func workloads(name: String, profile: TokenProfile) throws {
        let part = "profile: oauth\n    audiences: [\"https://localhost:8443\"]\n    \(Self.signed)"
        let rest = "\n    jwks_file: broker.jwks.json\n    algorithms: [ES256]"
        let plain = try issuer(part, "profile: \(name)" + rest)
        #expect(plain.profile == profile)
        #expect(plain.audiences.isEmpty)
        #expect(try issuer(part, "profile: \(name)\n    audiences: [urn:a]" + rest).audiences == ["urn:a"])
    }

    // MARK: Keys

    @Test("Keys may come from a URL, with defaults for what is left out")
    func url() throws {
        let issuer = try issuer("jwks_file: broker.jwks.json", "jwks_url: \"https://b.example:444/keys?a=b\"")
        #expect(issuer.keySource == .url(KeySetLocation(url: "https://b.example:444/keys?a=b")))
        #expect(issuer.keys.isEmpty)
        guard case .url(let location) = issuer.keySource else { return }
        #expect(location.refreshInterval == .seconds(300))
        #expect(location.maximumStaleness == .seconds(24 * 3600))
        #expect(location.authorityFile == nil)
    }

    @Test("All that belongs to a URL is read")
    func wholeURL() throws {
        let issuer = try issuer(
            "jwks_file: broker.jwks.json",
            """
            jwks_url: "https://b/keys"
                refresh_interval: 1m
                maximum_staleness: 2h
                ca_file: agents-ca.pem
            """)
        #expect(
            issuer.keySource
                == .url(
                    KeySetLocation(
                        url: "https://b/keys", refreshInterval: .seconds(60), maximumStaleness: .seconds(7200),
                        authorityFile: "\(files.directory)/agents-ca.pem")))
    }

    @Test("Plain http is used where the configuration calls it dangerous, with a warning")
    func plain() throws {
        let configuration = try configuration(
            "jwks_file: broker.jwks.json",
            "jwks_url: \"http://127.0.0.1:1/keys\"\n    dangerously_allow_plain_http: true")
        #expect(configuration.warnings.count == 1)
        #expect(configuration.warnings.first?.contains("issuers[0].jwks_url: anyone on the way") == true)
        guard case .url(let location)? = configuration.issuers.first?.keySource else {
            Issue.record("the source is no URL")
            return
        }
        #expect(location.url == "http://127.0.0.1:1/keys")
    }

    @Test("Keys from a file are there at once")
    func file() throws {
        let issuer = try issuer("workers: 2", "workers: 3")
        #expect(issuer.keySource == .file)
        #expect(issuer.keys.count == 1)
    }

    // MARK: Introspection

    @Test("An issuer may be asked about its tokens, with defaults for what is left out")
    func introspection() throws {
        let issuer = try issuer(
            Self.signed,
            "introspection: { url: \"https://b/ask\", client_id: gateway, client_secret_file: client.secret }")
        #expect(issuer.keys.isEmpty)
        #expect(issuer.algorithms.isEmpty)
        let endpoint = IntrospectionEndpoint(
            url: "https://b/ask", clientID: "gateway", clientSecret: ClientSecret(Array("hunter2".utf8)),
            cacheLifetime: .seconds(30), timeout: .seconds(2), authorityFile: nil)
        #expect(issuer.keySource == .introspection(endpoint))
    }

    @Test("All that belongs to introspection is read")
    func wholeIntrospection() throws {
        let configuration = try configuration(
            Self.signed,
            """
            introspection:
                  url: "http://b/ask"
                  dangerously_allow_plain_http: true
                  client_id: the gateway
                  client_secret_file: open.secret
                  cache: 0s
                  timeout: 500ms
                  ca_file: agents-ca.pem
            """)
        let endpoint = IntrospectionEndpoint(
            url: "http://b/ask", clientID: "the gateway", clientSecret: ClientSecret(Array("hunter2".utf8)),
            cacheLifetime: .zero, timeout: .milliseconds(500), authorityFile: "\(files.directory)/agents-ca.pem")
        #expect(configuration.issuers.first?.keySource == .introspection(endpoint))
        #expect(configuration.warnings.count == 2)
        #expect(configuration.warnings.contains { $0.contains("introspection.url: anyone on the way") })
        #expect(configuration.warnings.contains { $0.contains("client_secret_file: other users may read this secret") })
        #expect(!"\(configuration.issuers)".contains("hunter2"))
    }

    @Test("Only OAuth tokens are asked about", arguments: ["agentwrit", "wimse", "wit-svid"])
    func introspectionProfiles(profile: String) throws {
        let text = TrialFiles.example.replacingOccurrences(of: "profile: oauth", with: "profile: \(profile)")
            .replacingOccurrences(
                of: Self.signed,
                with: "introspection: { url: \"https://b/ask\", client_id: g, client_secret_file: client.secret }")
        guard case .failure(let faults) = try files.load(text) else {
            Issue.record("the configuration loads")
            return
        }
        #expect(faults.faults.map(\.keyPath) == ["issuers[0].introspection"])
        #expect(faults.faults.first?.message.contains("verified by their signature") == true)
    }

    // MARK: What routes ask for

    private static let mismatch = "dangerously_allow_subject_mismatch: false"

    @Test("Conditions on claims are read, and their names reach the issuer")
    func claims() throws {
        let configuration = try configuration(
            Self.mismatch,
            """
            claims:
                    model: ["m-1", "m-2"]
                    config_digest: "sha256:abc"
                    attestation: { prefix: "tdx:" }
                    level: 3
                    attested: [true, "003"]
            """)
        let route = try #require(configuration.routes.first)
        #expect(
            route.requirement.claims == [
                ClaimRule(name: "model", condition: .oneOf([.text("m-1"), .text("m-2")])),
                ClaimRule(name: "config_digest", condition: .oneOf([.text("sha256:abc")])),
                ClaimRule(name: "attestation", condition: .prefix("tdx:")),
                ClaimRule(name: "level", condition: .oneOf([.number(3)])),
                ClaimRule(name: "attested", condition: .oneOf([.bool(true), .text("003")])),
            ])
        #expect(
            configuration.issuers.first?.retainedClaims
                == ["model", "config_digest", "attestation", "level", "attested"])
    }

    @Test("A sponsor, a depth of delegation, ways of authentication and their age are read")
    func conditions() throws {
        let all = try configuration(
            Self.mismatch,
            "sponsor: true\n      acr: [\"urn:a:2\", \"3\"]\n      max_age: 5m\n      delegation: { maximum_depth: 16 }"
        )
        let requirement = try #require(all.routes.first?.requirement)
        #expect(requirement.maximumDelegationDepth == 16)
        #expect(requirement.requiresSponsor)
        #expect(requirement.authenticationContexts == ["urn:a:2", "3"])
        #expect(requirement.maximumAuthenticationAge == .seconds(300))
        let none = try #require(try configuration(Self.mismatch, "sponsor: false").routes.first?.requirement)
        #expect(!none.requiresSponsor && none.maximumDelegationDepth == 5)
        #expect(none.claims.isEmpty && none.authenticationContexts.isEmpty && none.maximumAuthenticationAge == nil)
    }

    @Test("Each issuer keeps the claims that the routes ask for which take its tokens")
    func retained() throws {
        let other = """

              - { issuer: "https://other", profile: oauth, audiences: [a], jwks_file: broker.jwks.json, algorithms: [ES256] }

            upstreams:
            """
        let second = """
            routes:
              - name: second
                match: { path: "/second" }
                require: { issuers: ["https://other"], possession: [certificate], claims: { b: "1" } }
                upstream: orders
              - name: third
                match: { path: "/third" }
                require: { issuers: ["https://other", "https://broker.example.test"], possession: [certificate], claims: { c: "1" } }
                upstream: orders
            """
        let text = TrialFiles.example.replacingOccurrences(of: "\nupstreams:", with: other)
            .replacingOccurrences(of: "routes:", with: second)
            .replacingOccurrences(of: Self.mismatch, with: "claims: { a: \"1\" }")
        let issuers = try files.load(text).get().issuers
        #expect(issuers.map(\.retainedClaims) == [["a", "c"], ["b", "c"]])
    }
}
