import Bytes
import HTTP
import Testing

@testable import Exchange

@Suite("Field hygiene")
struct FieldHygieneTests {
    /// As people write them; each is the name of a real field.
    static let removed = [
        "Authorization", "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Connection", "DPoP", "Txn-Token",
        "Forwarded", "X-Request-Id", "Traceparent", "Content-Length", "Transfer-Encoding", "Keep-Alive",
        "HTTP2-Settings", "Proxy",
        "Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-Client-Cert-Chain", "X-Client-Certificate",
        "X-Client-Verify", "X-Client-DN", "X-Client-S-DN", "X-Client-I-DN", "X-Client-Subject-DN",
        "X-Client-Issuer-DN", "SSL-Client-Cert", "SSL-Client-Verify", "SSL-Client-S-DN", "X-SSL", "X-SSL-Cert",
        "X-SSL-Client-Cert", "X-SSL-Client-CN", "X-SSL-Client-Verify", "X-TLS-Client-Cert", "X-MTLS-Subject",
        "X-Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Uri",
        "X-Forwarded-User", "X-Forwarded-Client-Cert", "X-Forwarded-Tls-Client-Cert",
        "X-Forwarded-Tls-Client-Cert-Info",
        "X-Amzn-Mtls-Clientcert", "X-Amzn-Mtls-Clientcert-Subject", "X-Amzn-Oidc-Identity", "X-Amzn-Oidc-Data",
        "X-ARR-ClientCert", "X-MS-Client-Principal", "X-MS-Client-Principal-Id", "X-MS-Token-AAD-Access-Token",
        "Cf-Access-Jwt-Assertion", "Cf-Client-Cert-Sha256", "X-Goog-Authenticated-User-Email",
        "X-Goog-Iap-Jwt-Assertion", "X-Pomerium-Jwt-Assertion", "X-Auth-Request-User", "X-Auth-Request-Access-Token",
        "X-Authenticated-Userid", "X-Consumer-Username", "X-Credential-Identifier", "X-Userinfo", "X-Webauth-User",
        "Remote-User", "Remote-Groups", "X-Remote-User", "X-Remote-Group", "X-Remote-Extra-Scopes",
        "Impersonate-User", "Impersonate-Group", "X-Access-Token", "X-Id-Token", "L5d-Client-Id", "L5d-Remote-Ip",
        "X-Spiffe-Id", "X-Envoy-Original-Path", "X-Envoy-External-Address",
        "Workload-Identity-Token", "Workload-Proof-Token", "X-Workload-Identity",
        "Sallyport-Agent", "Sallyport-Issuer", "Sallyport-Token-Id", "Sallyport-Scope", "Sallyport-Task",
        "Sallyport-Orchestration", "Sallyport-Sponsor", "Sallyport-Delegation-Depth", "Sallyport-Anything-Else",
        "X-Real-IP", "X-Client-IP", "X-Cluster-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Fastly-Client-IP",
        "X-Original-URL", "X-Original-URI", "X-Original-Method", "X-Original-Host", "X-Rewrite-URL", "X-Host",
        "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override",
    ]

    private func removes(_ name: String) -> Bool { FieldHygiene.removes(name.utf8.span) }

    /// The ways in which a name reaches an upstream that reads all of them alike.
    private static func spellings(_ name: String) -> [String] {
        let underscored = String(name.map { $0 == "-" ? "_" : $0 })
        let dotted = String(name.map { $0 == "-" ? "." : $0 })
        var mixed = name
        if let hyphen = mixed.firstIndex(of: "-") { mixed.replaceSubrange(hyphen...hyphen, with: "_") }
        return [name, underscored, dotted, mixed].flatMap { [$0, $0.lowercased(), $0.uppercased()] }
    }

    @Test("B3, H1, H3: What passes for the gateway's own word is removed in every spelling", arguments: removed)
    func spelling(name: String) {
        for spelling in Self.spellings(name) { #expect(removes(spelling), "\(spelling)") }
    }

    @Test(
        "What only resembles those names passes",
        arguments: [
            "accept", "accept-encoding", "user-agent", "content-type", "content-encoding", "content-range", "cookie",
            "te", "x", "x-", "", "if-match", "range", "origin", "referer", "tracestate", "x-correlation-id",
            "authorizations", "authorizatio", "x-authorization-hint", "dpop-nonce", "dpo", "forward", "forwardedx",
            "client", "client-cer", "clients-certify", "client-hints", "x-sslx", "ssl-client", "ssl-clients",
            "x-client-version", "x-request-ids", "x-request-start", "sallyport", "sallyports-agent", "workloads",
            "workload", "remotely", "remote", "x-remote", "x-forward-me", "proxy-status", "proxyx", "prox",
            "x-hostname",
            "x-http-methods", "txn-tokens", "x-amzn-trace-id", "x-goog-meta-a", "x-ms-version", "cf-ray", "x-real-ipx",
            "impersonate", "traceparents", "x-envoyer", "x-underscore", "x_underscore",
        ])
    func innocent(name: String) {
        #expect(!removes(name))
    }

    @Test(
        "A prefix covers whatever follows it, honest or not",
        arguments: ["Client-Certainty", "X-Forwardedly", "X-SSL-"])
    func prefix(name: String) {
        #expect(removes(name))
        #expect(!removes("a\(name)"))
    }

    @Test("The gateway writes the length and the host itself, and has dealt with the expectation")
    func rewritten() {
        #expect(FieldHygiene.isRewritten(.contentLength))
        #expect(FieldHygiene.isRewritten(.host))
        #expect(FieldHygiene.isRewritten(.expect))
        #expect(!FieldHygiene.isRewritten(.contentType))
        #expect(!FieldHygiene.isRewritten(.other))
    }
}
