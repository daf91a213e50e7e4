import Testing

/// A rule of the schema: a part of the example, what breaks the rule in its place, and the fault that is expected.
struct Rule: Sendable, CustomTestStringConvertible {
    let part: String
    let replacement: String
    let keyPath: String
    /// A part of the sentence.
    let message: String

    var testDescription: String { "\(keyPath): \(replacement)" }

    init(_ part: String, _ replacement: String, _ keyPath: String, _ message: String) {
        self.part = part
        self.replacement = replacement
        self.keyPath = keyPath
        self.message = message
    }

    static let all =
        listener + mode + rates + tls + clients + issuer + keySource + upstream + upstreamSettings + route + condition
        + rest + admin

    private static let origins = "origins: [\"https://localhost:8443\"]"

    private static let listener = [
        Rule("  - name: agents\n    address", "  - address", "listeners[0].name", "missing"),
        Rule("name: agents", "name: \"\"", "listeners[0].name", "no value"),
        Rule("name: agents", "name: \"a\\x07\"", "listeners[0].name", "control characters"),
        Rule("    address: \"127.0.0.1:8443\"\n", "", "listeners[0].address", "missing"),
        Rule("127.0.0.1:8443", "127.0.0.1:0", "listeners[0].address", "host:port"),
        Rule("127.0.0.1:9464", "127.0.0.1:8443", "observability.address", "listens on this address already"),
        Rule("    \(origins)\n", "", "listeners[0].origins", "missing"),
        Rule(origins, "origins: []", "listeners[0].origins", "at least one origin"),
        Rule(origins, "origins: https://localhost:8443", "listeners[0].origins", "not a list"),
        Rule(origins, "origins: [\"http://localhost:8443\"]", "listeners[0].origins[0]", "https://host"),
        Rule(origins, "origins: [\"https://localhost:8443/a\"]", "listeners[0].origins[0]", "without a path"),
        Rule(origins, "origins: [\"https://a\", \"https://A:443\"]", "listeners[0].origins[1]", "already"),
        Rule("[h2, http/1.1]", "[]", "listeners[0].protocols", "at least one"),
        Rule("[h2, http/1.1]", "[h3]", "listeners[0].protocols[0]", "h2 or http/1.1"),
        Rule("[h2, http/1.1]", "[h2, h2]", "listeners[0].protocols[1]", "already"),
    ]

    private static let mode = [
        Rule("protocols: [h2, http/1.1]", "mode: udp", "listeners[0].mode", "http or tcp"),
        Rule("protocols: [h2, http/1.1]", "upstream: orders", "listeners[0].upstream", "route names the upstream"),
        Rule("protocols: [h2, http/1.1]", "allow: []", "listeners[0].allow", "route says who may call"),
        Rule("protocols: [h2, http/1.1]", "proxy_protocol: {}", "listeners[0].proxy_protocol.from", "missing"),
        Rule(
            "protocols: [h2, http/1.1]", "proxy_protocol: { from: [] }", "listeners[0].proxy_protocol.from", "at least"),
        Rule(
            "protocols: [h2, http/1.1]", "proxy_protocol: { from: [10.0.0.1/8] }",
            "listeners[0].proxy_protocol.from[0]", "behind its prefix"),
        Rule(
            "protocols: [h2, http/1.1]", "proxy_protocol: { from: [localhost] }",
            "listeners[0].proxy_protocol.from[0]", "10.0.0.0/8"),
        Rule(
            "\"127.0.0.1:8443\"", "unix:a.sock\n    proxy_protocol: { from: [10.0.0.0/8] }",
            "listeners[0].proxy_protocol", "has no address"),
    ]

    private static let rates = ["listeners[0]", "routes[0]"].flatMap { owner in
        let place = owner.hasPrefix("l") ? "protocols: [h2, http/1.1]" : "upgrades: []"
        return [
            Rule(place, "limits: {}", "\(owner).limits", "nothing is limited"),
            Rule(place, "limits: { per_agent: {} }", "\(owner).limits", "nothing is limited"),
            Rule(place, "limits: { burst: 3 }", "\(owner).limits.burst", "requests_per_second"),
            Rule(
                place, "limits: { concurrent: 1, per_agent: { burst: 3 } }", "\(owner).limits.per_agent.burst",
                "requests_per_second"),
            Rule(place, "limits: { requests_per_second: 0 }", "\(owner).limits.requests_per_second", "1 to"),
            Rule(place, "limits: { concurrent: 1.5 }", "\(owner).limits.concurrent", "1 to"),
            Rule(place, "limits: { bytes_per_second: 1 }", "\(owner).limits.bytes_per_second", "1024"),
            Rule(
                place, "limits: { request_per_second: 1 }", "\(owner).limits.request_per_second", "requests_per_second?"
            ),
            Rule(
                place, "limits: { per_agent: { per_agent: { concurrent: 1 } } }", "\(owner).limits.per_agent.per_agent",
                "no such key"),
        ]
    }

    private static let pair = "{ certificate_file: server.pem, private_key_file: server.key }"

    private static let tls = [
        Rule("- \(pair)", "[]", "listeners[0].tls.certificates", "at least one certificate"),
        Rule(pair, "{ certificate_file: server.pem }", "listeners[0].tls.certificates[0].private_key_file", "missing"),
        Rule(pair, "{ private_key_file: server.key }", "listeners[0].tls.certificates[0].certificate_file", "missing"),
        Rule("file: server.pem", "file: no.pem", "listeners[0].tls.certificates[0].certificate_file", "does not exist"),
        Rule("file: server.pem", "file: empty.pem", "listeners[0].tls.certificates[0].certificate_file", "is empty"),
        Rule(
            "file: server.pem", "file: garbage.pem", "listeners[0].tls.certificates[0].certificate_file",
            "no certificate"),
        Rule("file: server.pem", "file: folder", "listeners[0].tls.certificates[0].certificate_file", "regular file"),
        Rule(
            "file: server.pem", "file: server.key", "listeners[0].tls.certificates[0].certificate_file",
            "no certificate"),
        Rule(
            "file: server.key", "file: stranger.key", "listeners[0].tls.certificates[0].certificate_file", "pair them"),
        Rule(
            "file: server.key", "file: garbage.pem", "listeners[0].tls.certificates[0].private_key_file",
            "no private key"),
        Rule(
            "file: server.key", "file: server.pem", "listeners[0].tls.certificates[0].private_key_file",
            "no private key"),
        Rule("minimum_version: \"1.3\"", "minimum_version: 1.1", "listeners[0].tls.minimum_version", "1.2 or 1.3"),
        Rule("resumption: off", "resumption: no", "listeners[0].tls.resumption", "bound or off"),
        Rule(
            "file: server.key", "file: server.key, ocsp_file: garbage.pem",
            "listeners[0].tls.certificates[0].ocsp_file", "no OCSP response"),
        Rule(
            "file: server.key", "file: server.key, ocsp_file: no.ocsp",
            "listeners[0].tls.certificates[0].ocsp_file", "does not exist"),
        Rule(
            "resumption: off", "dangerously_log_tls_keys: \"\"", "listeners[0].tls.dangerously_log_tls_keys",
            "no value"),
        Rule("resumption: off", "cipher_suites: []", "listeners[0].tls.cipher_suites", "no such key"),
    ]

    private static let domain = "{ name: example.test, bundle_file: agents-ca.pem }"
    private static let domains = "listeners[0].clients.trust_domains"

    private static let clients = [
        Rule("certificate: required", "certificate: never", "listeners[0].clients.certificate", "required or optional"),
        Rule("identity: spiffe", "identity: none", "listeners[0].clients.identity", "spiffe or any"),
        Rule("      trust_domains:\n        - \(domain)\n", "", domains, "missing"),
        Rule("- \(domain)", "[]", domains, "at least one trust domain"),
        Rule("name: example.test", "name: Example.test", "\(domains)[0].name", "lower-case"),
        Rule(domain, "{ name: a, bundle_file: agents-ca.pem, bundle: b }", "\(domains)[0].bundle", "bundle_file?"),
        Rule("- \(domain)", "[\(domain), \(domain)]", "\(domains)[1].name", "has this name"),
        Rule("agents-ca.pem", "no.pem", "\(domains)[0].bundle_file", "does not exist"),
        Rule("agents-ca.pem", "empty.pem", "\(domains)[0].bundle_file", "is empty"),
        Rule("agents-ca.pem", "garbage.pem", "\(domains)[0].bundle_file", "no certificate"),
        Rule("agents-ca.pem", "half-ca.pem", "\(domains)[0].bundle_file", "no certificate"),
        Rule("agents-ca.pem", "server.pem", "\(domains)[0].bundle_file", "no certificate authority"),
        Rule("agents-ca.pem", "expired-ca.pem", "\(domains)[0].bundle_file", "has expired"),
    ]

    private static let issuer = [
        Rule("profile: oauth", "profile: saml", "issuers[0].profile", "oauth, agentwrit, aat, wimse or wit-svid"),
        Rule("profile: oauth", "profile: aat", "issuers[0].trust_domains", "name keys"),
        Rule("    audiences: [\"https://localhost:8443\"]\n", "", "issuers[0].audiences", "missing"),
        Rule("audiences: [\"https://localhost:8443\"]", "audiences: []", "issuers[0].audiences", "at least one"),
        Rule("    jwks_file: broker.jwks.json\n", "", "issuers[0].jwks_file", "missing"),
        Rule("broker.jwks.json", "no.json", "issuers[0].jwks_file", "does not exist"),
        Rule("broker.jwks.json", "empty.jwks.json", "issuers[0].jwks_file", "no key"),
        Rule("broker.jwks.json", "garbage.pem", "issuers[0].jwks_file", "JWK set"),
        Rule("broker.jwks.json", "empty.pem", "issuers[0].jwks_file", "is empty"),
        Rule("    algorithms: [ES256, Ed25519]\n", "", "issuers[0].algorithms", "missing"),
        Rule("[ES256, Ed25519]", "[]", "issuers[0].algorithms", "at least one"),
        Rule("[ES256, Ed25519]", "[HS256, ES256]", "issuers[0].algorithms[0]", "ES256"),
        Rule("[ES256, Ed25519]", "[ES256, none]", "issuers[0].algorithms[1]", "ES256"),
        Rule("[ES256, Ed25519]", "[es256, Ed25519]", "issuers[0].algorithms[0]", "ES256"),
        Rule("clock_leeway: 30s", "clock_leeway: 301s", "issuers[0].clock_leeway", "0ms to 5m"),
        Rule("clock_leeway: 30s", "clock_leeway: 30", "issuers[0].clock_leeway", "250ms"),
        Rule("maximum_token_lifetime: 1h", "maximum_token_lifetime: 0s", "issuers[0].maximum_token_lifetime", "range"),
        Rule("sponsor: sponsor", "sponser: sponsor", "issuers[0].claims.sponser", "sponsor?"),
        Rule("trust_domains: [example.test]", "trust_domains: []", "issuers[0].trust_domains", "at least one"),
    ]

    private static let targets = "[\"http://127.0.0.1:9000\"]"

    private static let upstream = [
        Rule(targets, "[]", "upstreams[0].targets", "at least one target"),
        Rule(targets, "[\"127.0.0.1:9000\"]", "upstreams[0].targets[0]", "with host:port"),
        Rule(targets, "[\"http://127.0.0.1:9000/base\"]", "upstreams[0].targets[0]", "without a path"),
        Rule(targets, "[\"https://127.0.0.1:9000\"]", "upstreams[0].tls", "missing"),
        Rule(targets, "[\"h2c://127.0.0.1:9000\"]", "upstreams[0].protocol", "h2c targets speak h2"),
        Rule(targets, "[\"http://a\", \"http://a:80\"]", "upstreams[0].targets[1]", "already"),
        Rule(targets, "[\"http://a\", \"https://b\"]", "upstreams[0].targets", "two upstreams"),
        Rule(targets, "[\"unix:a\", \"https://b\"]", "upstreams[0].targets", "two upstreams"),
        Rule(targets, "[\"http://a\", \"h2c://b\"]", "upstreams[0].targets", "protocol: h2"),
        Rule("protocol: http/1.1", "protocol: h3", "upstreams[0].protocol", "http/1.1 or h2"),
        Rule("protocol: http/1.1", "tls: { ca_file: a }", "upstreams[0].tls", "no target is https"),
        Rule(
            "    protocol: http/1.1\n", "  - { name: orders, targets: [\"http://b\"] }\n", "upstreams[1].name",
            "line 31"),
    ]

    private static let match = "{ methods: [GET, HEAD], path: \"/orders/{order_id}\" }"
    private static let issuers = "issuers: [\"https://broker.example.test\"]"

    private static let route = [
        Rule(match, "{ methods: [GET] }", "routes[0].match.path", "missing"),
        Rule("path: \"/orders/{order_id}\"", "path: orders", "routes[0].match.path", "begins with /"),
        Rule("[GET, HEAD]", "[get]", "routes[0].match.methods[0]", "in capitals"),
        Rule("[GET, HEAD]", "[CONNECT]", "routes[0].match.methods[0]", "method"),
        Rule("[GET, HEAD]", "[]", "routes[0].match.methods", "at least one"),
        Rule("[GET, HEAD],", "[GET], host: \"localhost:8443\",", "routes[0].match.host", "without a port"),
        Rule("      \(issuers)\n", "", "routes[0].require.issuers", "nobody may"),
        Rule(issuers, "issuers: []", "routes[0].require.issuers", "at least one issuer"),
        Rule(
            issuers, "issuers: [\"https://brocker.example.test\"]", "routes[0].require.issuers[0]",
            "broker.example.test?"),
        Rule("      possession: [certificate]\n", "", "routes[0].require.possession", "missing"),
        Rule("[certificate]", "[]", "routes[0].require.possession", "at least one proof"),
        Rule("[certificate]", "[bearer]", "routes[0].require.possession[0]", "certificate, dpop, wpt or svid"),
        Rule("[certificate]", "[dpop, dpop]", "routes[0].require.possession[1]", "already"),
        Rule("read:orders:{order_id}", "read:orders", "routes[0].require.scope", "action:resource:identifier"),
        Rule("read:orders:{order_id}", "read:orders:{id}", "routes[0].require.scope", "{id}"),
        Rule(
            "subject_mismatch: false", "subject_mismatch: no", "routes[0].require.dangerously_allow_subject_mismatch",
            "true or false"),
        Rule(
            "dangerously_allow_subject_mismatch: false", "delegation: {}", "routes[0].require.delegation.maximum_depth",
            "missing"),
        Rule(
            "dangerously_allow_subject_mismatch: false", "delegation: { maximum_depth: 17 }",
            "routes[0].require.delegation.maximum_depth", "from 0 to 16"),
        Rule(
            "dangerously_allow_subject_mismatch: false", "delegation: { maximum_depth: -1 }",
            "routes[0].require.delegation.maximum_depth", "from 0 to 16"),
        Rule(
            "dangerously_allow_subject_mismatch: false", "delegation: { maximum_depth: 5, depth: 5 }",
            "routes[0].require.delegation.depth", "maximum_depth"),
        Rule("authorization: strip", "authorization: pass", "routes[0].forward.authorization", "strip, bearer or keep"),
        Rule("upgrades: []", "upgrades: [h2c]", "routes[0].upgrades[0]", "websocket"),
        Rule("upgrades: []", "upgrades: [TLS/1.2]", "routes[0].upgrades[0]", "websocket"),
        Rule("upgrades: []", "upgrades: [\"a b\"]", "routes[0].upgrades[0]", "websocket"),
        Rule("upgrades: []", "upgrades: [websocket, WebSocket]", "routes[0].upgrades[1]", "already"),
        Rule("upgrades: []", "upgrades: websocket", "routes[0].upgrades", "not a list"),
        Rule("upstream: orders", "upstream: order", "routes[0].upstream", "did you mean orders?"),
    ]

    private static let rest = [
        Rule("workers: 2", "workers: 0", "workers", "1 to 1024"),
        Rule("workers: 2", "wrokers: 2", "wrokers", "workers?"),
        Rule("workers: 2", "possession: { dpop: { nonce: sometimes } }", "possession.dpop.nonce", "off or required"),
        Rule("workers: 2", "possession: { dpop: { accept_window: 0s } }", "possession.dpop.accept_window", "1s"),
        Rule("workers: 2", "possession: { dpop: { accept_window: 1h } }", "possession.dpop.accept_window", "10m"),
        Rule("workers: 2", "possession: { dpop: { future_skew: 6m } }", "possession.dpop.future_skew", "5m"),
        Rule("workers: 2", "possession: { dpop: { algorithms: [] } }", "possession.dpop.algorithms", "empty"),
        Rule("workers: 2", "possession: { dpop: { algorithms: [HS256] } }", "possession.dpop.algorithms[0]", "ES256"),
        Rule("workers: 2", "possession: { wpt: { maximum_lifetime: 1h } }", "possession.wpt.maximum_lifetime", "10m"),
        Rule("workers: 2", "possession: { replay: { capacity: 0 } }", "possession.replay.capacity", "1 to"),
        Rule("workers: 2", "possession: { replay: { store: redis } }", "possession.replay.store", "not built yet"),
        Rule("workers: 2", "possession: { dopp: {} }", "possession.dopp", "dpop?"),
        Rule("  directory: audit\n", "", "audit.directory", "missing"),
        Rule("directory: audit", "directory: server.pem", "audit.directory", "not a directory"),
        Rule("durability: batched", "durability: none", "audit.durability", "batched or synced"),
        Rule("when_full: deny", "when_full: drop", "audit.when_full", "deny or wait"),
        Rule("when_full: deny", "signing_key_file: a", "audit.signing_key_file", "not built yet"),
        Rule("when_full: deny", "checkpoint_interval: 10s", "audit.checkpoint_interval", "not built yet"),
        Rule("connections: 10000", "connections: 0", "limits.connections", "from 1"),
        Rule("connections: 10000", "connections_per_client: -1", "limits.connections_per_client", "from 0"),
        Rule("header_bytes: 32KiB", "header_bytes: 32KB", "limits.header_bytes", "8KiB"),
        Rule("header_bytes: 32KiB", "header_bytes: 4KiB", "limits.token_bytes", "does not fit"),
        Rule("proof_bytes: 4KiB", "chain_bytes: 24KiB", "limits.chain_bytes", "fit into"),
        Rule("proof_bytes: 4KiB", "chain_bytes: 100KiB", "limits.chain_bytes", "range"),
        Rule("proof_bytes: 4KiB", "proof_bytes: 0", "limits.proof_bytes", "range"),
        Rule("idle: 75s", "idle: 0s", "timeouts.idle", "range"),
        Rule("idle: 75s", "idel: 75s", "timeouts.idel", "idle?"),
    ]
}
