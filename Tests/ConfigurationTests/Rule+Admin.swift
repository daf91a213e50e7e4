extension Rule {
    private static let files =
        "tls: { certificate_file: server.pem, private_key_file: server.key, bundle_file: agents-ca.pem, "
        + "trust_domain: example.test }"
    private static let allow = "allow: [\"spiffe://example.test/operator/*\"]"
    private static let address = "address: \"127.0.0.1:9900\""
    private static let overTCP = "\(address), \(files), \(allow)"

    private static func admin(_ members: String, _ keyPath: String, _ message: String) -> Rule {
        Rule("workers: 2", "admin: { \(members) }", keyPath, message)
    }

    /// An admin server over TCP with a part replaced.
    private static func tcp(_ part: String, _ replacement: String, _ keyPath: String, _ message: String) -> Rule {
        admin(overTCP.replacing(part, with: replacement), keyPath, message)
    }

    /// Where the gateway is administered: never without authentication.
    static let admin = [
        admin("", "admin.address", "missing"),
        admin("address: run", "admin.address", "unix:PATH"),
        tcp("127.0.0.1:9900", "127.0.0.1:8443", "admin.address", "listens on this address already"),
        admin("address: \"unix:a\", port: 1", "admin.port", "no such key"),
        admin("address: \"unix:a\", mode: \"0666\"", "admin.mode", "0600"),
        admin("address: \"unix:a\", mode: \"0400\"", "admin.mode", "0600"),
        admin("address: \"unix:a\", mode: \"600x\"", "admin.mode", "0600"),
        admin("address: \"unix:a\", mode: \"1600\"", "admin.mode", "0600"),
        admin("address: \"unix:a\", mode: \"0700\"", "admin.mode", "0600"),
        admin("address: \"unix:a\", \(files)", "admin.tls", "guarded by its mode"),
        admin("address: \"unix:a\", \(allow)", "admin.allow", "guarded by its mode"),
        admin("\(address), \(allow)", "admin.tls", "missing"),
        admin("\(address), \(files)", "admin.allow", "missing"),
        admin("\(overTCP), mode: \"0600\"", "admin.mode", "only a Unix socket"),
        tcp("private_key_file: server.key, ", "", "admin.tls.private_key_file", "missing"),
        tcp("server.key", "stranger.key", "admin.tls.certificate_file", "not of the key"),
        tcp("agents-ca.pem", "empty.pem", "admin.tls.bundle_file", "is empty"),
        tcp("agents-ca.pem", "server.pem", "admin.tls.bundle_file", "no certificate authority"),
        tcp("trust_domain: example.test", "trust_domain: Example.test", "admin.tls.trust_domain", "lower-case"),
        tcp(", trust_domain: example.test", "", "admin.tls.trust_domain", "missing"),
        tcp("tls: {", "tls: { ca_file: agents-ca.pem,", "admin.tls.ca_file", "no such key"),
        tcp("bundle_file: agents-ca.pem, ", "", "admin.tls.bundle_file", "missing"),
        tcp("[\"spiffe://example.test/operator/*\"]", "[]", "admin.allow", "at least one"),
        tcp("spiffe://example.test/operator/*", "operator", "admin.allow[0]", "a SPIFFE ID with a path"),
        tcp("spiffe://example.test/operator/*", "spiffe://example.test", "admin.allow[0]", "a SPIFFE ID with a path"),
        tcp("spiffe://example.test/operator/*", "spiffe://other.test/operator", "admin.allow[0]", "trust domain"),
    ]
}
