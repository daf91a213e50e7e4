extension Rule {
    private static let file = "jwks_file: broker.jwks.json"
    private static let url = "jwks_url: \"https://broker.example.test/keys\""
    private static let signed = "    \(file)\n    algorithms: [ES256, Ed25519]\n"

    /// An issuer that is asked about its tokens, with a part replaced.
    private static func asked(_ part: String = "url:", _ replacement: String = "url:") -> String {
        "    introspection: { url: \"https://b/ask\", client_id: gateway, client_secret_file: client.secret }\n"
            .replacing(part, with: replacement)
    }

    /// Where an issuer's keys come from, and what depends on its profile.
    static let keySource = [
        Rule(file, "jwks_url: broker.example.test/keys", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"ftp://b/keys\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"HTTPS://b/keys\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"https:///keys\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"https://user@b/keys\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"https://b/keys#x\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"https://b/a key\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"https://b:0/keys\"", "issuers[0].jwks_url", "https://"),
        Rule(file, "jwks_url: \"http://b/keys\"", "issuers[0].jwks_url", "dangerously_allow_plain_http"),
        Rule(file, "jwks_url: \"http://127.0.0.1/keys\"", "issuers[0].jwks_url", "dangerously_allow_plain_http"),
        Rule(
            file, "jwks_url: \"http://b/k\"\n    dangerously_allow_plain_http: false", "issuers[0].jwks_url", "plain"),
        Rule(
            file, "\(url)\n    dangerously_allow_plain_http: yes", "issuers[0].dangerously_allow_plain_http",
            "true or false"),
        Rule(file, "\(file)\n    \(url)", "issuers[0].jwks_url", "jwks_file stands beside it"),
        Rule(signed, "    \(file)\n" + asked(), "issuers[0].jwks_file", "introspection stands beside it"),
        Rule(signed, "    \(url)\n" + asked(), "issuers[0].jwks_url", "introspection stands beside it"),
        Rule(file, "\(file)\n    refresh_interval: 5m", "issuers[0].refresh_interval", "jwks_url only"),
        Rule(file, "\(file)\n    maximum_staleness: 5m", "issuers[0].maximum_staleness", "jwks_url only"),
        Rule(file, "\(file)\n    ca_file: agents-ca.pem", "issuers[0].ca_file", "jwks_url only"),
        Rule(file, "\(url)\n    refresh_interval: 1s", "issuers[0].refresh_interval", "10s to 24h"),
        Rule(file, "\(url)\n    refresh_interval: 300", "issuers[0].refresh_interval", "duration"),
        Rule(file, "\(url)\n    maximum_staleness: 1s", "issuers[0].maximum_staleness", "range"),
        Rule(
            file, "\(url)\n    refresh_interval: 10m\n    maximum_staleness: 9m", "issuers[0].maximum_staleness",
            "refresh_interval or longer"),
        Rule(file, "\(url)\n    ca_file: no.pem", "issuers[0].ca_file", "does not exist"),
        Rule(file, "\(url)\n    ca_file: garbage.pem", "issuers[0].ca_file", "no certificate"),
        Rule(file, "\(url)\n    ca_file: empty.pem", "issuers[0].ca_file", "is empty"),
        Rule(
            signed, asked("url: \"https://b/ask\", ", ""), "issuers[0].introspection.url",
            "where the issuer says"),
        Rule(signed, asked("https://", "http://"), "issuers[0].introspection.url", "dangerously_allow_plain_http"),
        Rule(signed, asked("client_id: gateway, ", ""), "issuers[0].introspection.client_id", "missing"),
        Rule(
            signed, asked(", client_secret_file: client.secret", ""), "issuers[0].introspection.client_secret_file",
            "missing"),
        Rule(
            signed,
            asked("client_secret_file: client.secret", "client_secret: hunter2, client_secret_file: client.secret"),
            "issuers[0].introspection.client_secret", "client_secret_file?"),
        Rule(
            signed, asked("client.secret", "two.secret"), "issuers[0].introspection.client_secret_file", "one line"),
        Rule(
            signed, asked("client.secret", "blank.secret"), "issuers[0].introspection.client_secret_file", "one line"),
        Rule(
            signed, asked("client.secret", "empty.pem"), "issuers[0].introspection.client_secret_file", "is empty"),
        Rule(signed, asked("client.secret", "no"), "issuers[0].introspection.client_secret_file", "does not exist"),
        Rule(signed, asked(" }", ", cache: 2h }"), "issuers[0].introspection.cache", "0ms to 1h"),
        Rule(signed, asked(" }", ", timeout: 0s }"), "issuers[0].introspection.timeout", "100ms to 30s"),
        Rule(signed, asked(" }", ", ca_file: garbage.pem }"), "issuers[0].introspection.ca_file", "no certificate"),
        Rule(signed, "    algorithms: [ES256]\n" + asked(), "issuers[0].algorithms", "no signature is verified"),
        Rule(signed, "    introspection: true\n", "issuers[0].introspection", "keys are wanted"),
        Rule("profile: oauth", "profile: agentwrit", "issuers[0].algorithms[0]", "EdDSA only"),
        Rule("profile: oauth", "profile: wit-svid", "issuers[0].algorithms[1]", "never signed with EdDSA"),
    ]

    private static let mismatch = "dangerously_allow_subject_mismatch: false"

    /// What a route asks of a token beyond its scope.
    static let condition = [
        Rule(mismatch, "sponsor: yes", "routes[0].require.sponsor", "true or false"),
        Rule(mismatch, "claims: {}", "routes[0].require.claims", "claims are wanted here"),
        Rule(mismatch, "claims: [model]", "routes[0].require.claims", "claims are wanted here"),
        Rule(mismatch, "claims: model", "routes[0].require.claims", "claims are wanted here"),
        Rule(mismatch, "claims: { model: [] }", "routes[0].require.claims.model", "at least one value"),
        Rule(mismatch, "claims: { model: }", "routes[0].require.claims.model", "no value"),
        Rule(mismatch, "claims: { model: \"\" }", "routes[0].require.claims.model", "no value"),
        Rule(mismatch, "claims: { model: [[a]] }", "routes[0].require.claims.model[0]", "value alone"),
        Rule(mismatch, "claims: { \"a b\": c }", "routes[0].require.claims.a b", "no claim has such a name"),
        Rule(mismatch, "claims: { \"modèle\": c }", "routes[0].require.claims.modèle", "no claim has such a name"),
        Rule(mismatch, "claims: { a: { prefix: \"\" } }", "routes[0].require.claims.a.prefix", "no value"),
        Rule(mismatch, "claims: { a: { prefx: b, prefix: b } }", "routes[0].require.claims.a.prefx", "prefix?"),
        Rule(mismatch, "claims: { a: {} }", "routes[0].require.claims.a.prefix", "missing"),
        Rule(mismatch, "acr: []", "routes[0].require.acr", "at least one"),
        Rule(mismatch, "acr: urn:a", "routes[0].require.acr", "not a list"),
        Rule(mismatch, "acr: [\"a b\"]", "routes[0].require.acr[0]", "without spaces"),
        Rule(mismatch, "acr: ['a\"b']", "routes[0].require.acr[0]", "quotes"),
        Rule(mismatch, "acr: [a, a]", "routes[0].require.acr[1]", "already"),
        Rule(mismatch, "max_age: 0s", "routes[0].require.max_age", "range"),
        Rule(mismatch, "max_age: 300", "routes[0].require.max_age", "duration"),
    ]
}
