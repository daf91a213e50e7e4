import Bytes
import HTTP

/// Which of a client's fields never reach an upstream: whatever could pass for the gateway's own word, or for a credential.
///
/// Names are compared as the most careless upstream would: letters without case, every other character as `-`, since CGI
/// and its heirs read `Client_Cert` and `Client-Cert` as one name.
enum FieldHygiene {
    /// Whether a client's field of that name is removed.
    static func removes(_ name: Span<UInt8>) -> Bool {
        guard name.count >= 3 else { return false }
        let kind = kind(folded(name[0]), folded(name[2]))
        for index in Int(firstRule[kind])..<Int(firstRule[kind + 1]) where rules[index].covers(name) { return true }
        return false
    }

    /// Whether an upstream's field of that lower-case name could pass for the gateway's own word to the client, or holds
    /// what the gateway told the upstream alone.
    static func isOurs(_ name: Span<UInt8>) -> Bool {
        own.contains { $0.covers(name) }
    }

    /// Whether the gateway writes the field itself, or has dealt with it.
    static func isRewritten(_ name: FieldName) -> Bool {
        name == .contentLength || name == .expect || name == .host
    }

    /// Names that are removed where they are met exactly.
    private static let names = [
        // Credentials, and what the gateway says itself.
        "authorization", "delegation-chain", "dpop", "forwarded", "traceparent", "txn-token", "x-access-token",
        "x-id-token",
        "x-request-id",
        // What belongs to one connection, or frames a message, in a spelling that no HTTP machine looks for.
        "content-length", "http2-settings", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "transfer-encoding",
        // Who the client is, in the words of other proxies.
        "cf-connecting-ip", "fastly-client-ip", "l5d-client-id", "l5d-remote-ip", "true-client-ip", "x-arr-clientcert",
        "x-client-ip", "x-cluster-client-ip", "x-real-ip", "x-ssl", "x-userinfo",
        // Another method, target or authority than those that were judged.
        "x-host", "x-http-method", "x-http-method-override", "x-method-override", "x-rewrite-url",
        // The environment of a CGI program takes it for the proxy to use.
        "proxy",
    ]

    /// Beginnings of names that are removed.
    private static let prefixes = [
        "cf-access-", "cf-client-cert-", "client-cert", "impersonate-", "remote-", "sallyport-", "ssl-client-",
        "workload-", "x-amzn-mtls-", "x-amzn-oidc-", "x-auth-request-", "x-authenticated-", "x-client-cert",
        "x-client-dn", "x-client-i-dn", "x-client-issuer", "x-client-s-dn", "x-client-subject", "x-client-verify",
        "x-consumer-", "x-credential-", "x-envoy-", "x-forwarded", "x-goog-authenticated-", "x-goog-iap-",
        "x-ms-client-principal", "x-ms-token-", "x-mtls-", "x-original-", "x-pomerium-", "x-remote-", "x-spiffe-",
        "x-ssl-", "x-tls-client-", "x-webauth-", "x-workload-",
    ]

    private struct Rule {
        let text: String
        let isPrefix: Bool
        let kind: Int

        init(_ text: String, isPrefix: Bool) {
            let bytes = Array(text.utf8)
            precondition(bytes.count >= 3, "rules are told apart by their third character")
            self.text = text
            self.isPrefix = isPrefix
            kind = FieldHygiene.kind(bytes[0], bytes[2])
        }

        func covers(_ name: Span<UInt8>) -> Bool {
            let bytes = text.utf8.span
            guard isPrefix ? name.count >= bytes.count : name.count == bytes.count else { return false }
            for index in bytes.indices where folded(name[index]) != bytes[index] { return false }
            return true
        }
    }

    /// The names that the gateway alone writes, in answers too.
    ///
    /// A transaction token that an upstream sends back must not leave the trust domain.
    private static let own = [
        Rule("sallyport-", isPrefix: true), Rule("dpop-nonce", isPrefix: false), Rule("txn-token", isPrefix: false),
        Rule("x-request-id", isPrefix: false),
    ]

    /// All rules, those of a kind together.
    private static let rules =
        (names.map { Rule($0, isPrefix: false) } + prefixes.map { Rule($0, isPrefix: true) })
        .sorted { $0.kind < $1.kind }

    /// For each kind, and for the end, the first of its rules: most fields meet none at all.
    private static let firstRule: [UInt8] = (0...1024).map { kind in
        UInt8(rules.firstIndex { $0.kind >= kind } ?? rules.count)
    }

    /// A number below 1024 that names with other first or third characters seldom share; so many begin with `x-`.
    private static func kind(_ first: UInt8, _ third: UInt8) -> Int {
        Int(first & 31) << 5 | Int(third & 31)
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: UInt8(ascii: "-")
        }
    }
}
