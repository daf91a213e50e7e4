import Bytes
import HTTP

/// Which of a client's fields never reach an upstream: whatever could pass for the gateway's own word, or for a credential.
///
/// Names are compared as the most careless upstream would: letters without case, every other character as `-`, since CGI
/// and its heirs read `Client_Cert` and `Client-Cert` as one name.
enum FieldHygiene {
    /// Names that are removed where they are met exactly.
    private static let names: Set<String> = [
        "authorization", "proxy-authorization", "proxy-authenticate", "proxy-connection", "dpop", "txn-token",
        "forwarded", "x-request-id", "traceparent", "x-real-ip", "x-client-ip", "true-client-ip",
        "x-original-url", "x-original-uri", "x-original-method", "x-original-host", "x-rewrite-url",
        "x-http-method", "x-http-method-override", "x-method-override", "x-host",
        "x-arr-clientcert", "x-remote-user", "remote-user", "x-access-token", "x-id-token",
        "l5d-client-id", "l5d-remote-ip",
        // The real ones are dealt with elsewhere; these are their twins, such as `Content_Length`.
        "content-length", "transfer-encoding", "host", "connection", "keep-alive", "te", "trailer", "upgrade", "expect",
    ]

    /// Beginnings of names that are removed.
    private static let prefixes: [String] = [
        "client-cert", "ssl-client-", "x-ssl-", "x-client-cert", "x-client-verify", "x-forwarded-", "sallyport-",
        "workload-", "x-amzn-mtls-", "x-amzn-oidc-", "x-auth-request-", "x-authenticated-", "x-goog-authenticated-",
        "x-goog-iap-", "x-ms-client-principal", "x-ms-token-", "x-pomerium-", "x-spiffe-", "x-mtls-", "x-tls-client-",
        "x-workload-",
    ]

    /// First letters of all the names above: most fields are told apart by it alone.
    private static let firstLetters: [Bool] = {
        var letters = Array(repeating: false, count: 256)
        for name in names.union(prefixes) { if let first = name.utf8.first { letters[Int(first)] = true } }
        return letters
    }()

    /// Whether a client's field of that lower-case name is removed.
    static func removes(_ name: Span<UInt8>) -> Bool {
        guard !name.isEmpty, firstLetters[Int(folded(name[0]))] else { return false }
        for prefix in prefixes where hasPrefix(name, prefix) { return true }
        for candidate in names where candidate.utf8.count == name.count && hasPrefix(name, candidate) { return true }
        return false
    }

    private static func hasPrefix(_ name: Span<UInt8>, _ prefix: String) -> Bool {
        let bytes = prefix.utf8.span
        guard name.count >= bytes.count else { return false }
        for index in bytes.indices where folded(name[index]) != bytes[index] { return false }
        return true
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        default: UInt8(ascii: "-")
        }
    }

    /// Whether the gateway writes the field itself, or has dealt with it.
    static func isRewritten(_ name: FieldName) -> Bool {
        name == .contentLength || name == .expect || name == .host
    }
}
