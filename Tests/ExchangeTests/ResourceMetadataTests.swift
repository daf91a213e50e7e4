import Bytes
import Configuration
import Cryptography
import JSON
import Policy
import Possession
import Support
import Testing
import Tokens

@testable import Exchange

@Suite("Protected resource metadata")
struct ResourceMetadataTests {
    private static let url = "https://localhost:8443"

    /// A route of a host, or of any, with what it demands.
    private func route(
        host: String? = nil, issuers: [String] = [Broker.issuer], possession: Set<PossessionMethod> = [.certificate],
        path: String = "/orders/{order_id}", scope: String? = "read:orders:{order_id}"
    ) throws -> Route {
        let standard = try Trial.route(path: path, issuers: issuers, possession: possession, scope: scope)
        return Route(
            name: "r", match: RouteMatch(methods: [], host: host, path: standard.match.path),
            requirement: standard.requirement, forwarding: standard.forwarding, upstream: "orders")
    }

    /// The members of the document of an origin, as written.
    private func members(
        _ routes: [Route], issuers: [TokenIssuer]? = nil, origins: [String] = [url], of origin: String = url,
        algorithms: [SignatureAlgorithm] = [.es256, .ed25519]
    ) throws -> [String: String] {
        let listener = try Trial.standard().listener(origins: origins)
        let documents = ResourceMetadata.documents(
            for: listener, routes: routes, issuers: try issuers ?? [Broker.standard().issuer()],
            dpopAlgorithms: algorithms)
        #expect(documents.count == origins.count)
        let document = try #require(Origin(origin).flatMap { documents[$0] })
        #expect(document.path == "/.well-known/oauth-protected-resource")
        #expect(document.contentType == "application/json")
        let json = try JSONDocument(document.body.span)
        var members: [String: String] = [:]
        var rest = json.root.members
        while let member = rest.next() {
            members[String(validating: member.name) ?? "?"] = String(validating: member.value.raw) ?? "?"
        }
        return members
    }

    @Test("It says what the origin is, whose tokens it takes, and how they are proven")
    func standard() throws {
        #expect(
            try members([route()]) == [
                "resource": #""https://localhost:8443""#,
                "authorization_servers": #"["https://broker.example.test"]"#,
                "scopes_supported": #"["read:orders:*"]"#, "bearer_methods_supported": #"["header"]"#,
                "resource_name": #""agents""#, "tls_client_certificate_bound_access_tokens": "true",
                "dpop_bound_access_tokens_required": "false",
            ])
    }

    @Test("Each origin has its own, by the routes of its host")
    func origins() throws {
        let routes = [
            try route(host: "api.example.test", scope: "write:orders:{order_id}"), try route(scope: "read:orders:x"),
        ]
        let origins = [Self.url, "https://api.example.test"]
        let named = try members(routes, origins: origins, of: "https://API.example.test:443")
        #expect(named["resource"] == #""https://api.example.test""#)
        #expect(named["scopes_supported"] == #"["write:orders:*","read:orders:x"]"#)
        let other = try members(routes, origins: origins)
        #expect(other["resource"] == #""https://localhost:8443""#)
        #expect(other["scopes_supported"] == #"["read:orders:x"]"#)
    }

    @Test("Only OAuth issuers with an https name that a route accepts are authorization servers")
    func authorizationServers() throws {
        let broker = try Broker.standard()
        let issuers = [
            try broker.issuer(named: "https://second.example.test"), try broker.issuer(),
            try broker.issuer(named: "urn:example:broker"), try broker.issuer(named: "http://plain.example.test"),
            try broker.issuer(named: "https://wit.example.test", profile: .wimse),
            try broker.issuer(named: "https://agentwrit.example.test", profile: .agentwrit),
        ]
        let names = issuers.map(\.issuer)
        let all = try members([route(issuers: names)], issuers: issuers)
        #expect(all["authorization_servers"] == #"["https://second.example.test","https://broker.example.test"]"#)
        let one = try members([route(), route()], issuers: issuers)
        #expect(one["authorization_servers"] == #"["https://broker.example.test"]"#)
        #expect(try members([route(issuers: ["urn:example:broker"])], issuers: issuers)["authorization_servers"] == nil)
        #expect(try members([], issuers: issuers)["authorization_servers"] == nil)
    }

    @Test(
        "A scope stands with a wildcard for each hole, once",
        arguments: [
            ("/orders/{order_id}", "read:orders:{order_id}", #"["read:orders:*"]"#),
            ("/{a}/{b}", "read:{a}:{a}-{b}", #"["read:*:*-*"]"#),
            ("/files/{rest...}", "read:files:{rest}", #"["read:files:*"]"#),
            ("/orders", "read:orders:*", #"["read:orders:*"]"#),
            ("/orders", "read:orders:all", #"["read:orders:all"]"#),
        ])
    func scopes(path: String, scope: String, listed: String) throws {
        let routes = [try route(path: path, scope: scope), try route(path: path, scope: scope)]
        #expect(try members(routes)["scopes_supported"] == listed)
        #expect(try members([route(path: path, scope: nil)])["scopes_supported"] == nil)
    }

    @Test("What is said of proofs is what the routes accept")
    func possession() throws {
        func members(_ lists: Set<PossessionMethod>...) throws -> [String: String] {
            try self.members(lists.map { try route(possession: $0) })
        }
        let required = "dpop_bound_access_tokens_required"
        let certificate = "tls_client_certificate_bound_access_tokens"
        let algorithms = "dpop_signing_alg_values_supported"
        let dpop = try members([.dpop], [.dpop])
        #expect(dpop[required] == "true")
        #expect(dpop[certificate] == "false")
        #expect(dpop[algorithms] == #"["ES256","Ed25519"]"#)
        let mixed = try members([.dpop], [.dpop, .certificate])
        #expect(mixed[required] == "false")
        #expect(mixed[certificate] == "true")
        #expect(mixed[algorithms] == #"["ES256","Ed25519"]"#)
        let svid = try members([.svid], [.wpt])
        #expect(svid[required] == "false")
        #expect(svid[certificate] == "false")
        #expect(svid[algorithms] == nil)
        #expect(try self.members([])[required] == "false")
    }

    @Test("A challenge names the document by its origin")
    func url() throws {
        let origin = try #require(Origin("https://API.example.test:443"))
        #expect(
            ResourceMetadata.url(of: origin)
                == "https://api.example.test/.well-known/oauth-protected-resource")
        let other = try #require(Origin("https://[::1]:8443"))
        #expect(ResourceMetadata.url(of: other) == "https://[::1]:8443/.well-known/oauth-protected-resource")
    }

    @Test("The keys of transaction tokens are a document of their own")
    func keySet() throws {
        let key = try PrivateKey.generate(.ed25519)
        let settings = try #require(
            TransactionTokenSettings(key: key, issuer: "i", trustDomain: "t", workload: "w", lifetime: .seconds(1)))
        let document = ResourceMetadata.keySet(of: settings)
        #expect(document.path == "/.well-known/jwks.json")
        #expect(document.contentType == "application/jwk-set+json")
        let keys = try KeySet(jwks: document.body.span).keys
        #expect(keys.map(\.publicKey) == [key.publicKey])
        #expect(keys.map(\.algorithm) == [.ed25519])
        #expect(keys.map(\.keyID) == [key.publicKey.thumbprint.base64URL])
    }
}
