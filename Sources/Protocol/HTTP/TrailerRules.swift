import Bytes

/// Which fields may stand behind the content of a message (RFC 9110 §6.5.1).
///
/// A trailer comes when the decision is long made, so none is taken that frames or routes a message, authenticates, changes
/// what is asked for, steers the answer or says how content is to be read. Those are left out, not an error: many a sender
/// repeats a field there. Trailers are kept apart from the head's fields always.
public enum TrailerRules {
    /// Whether a field of that name may be forwarded in trailers; letters in either case, `_` read as `-`.
    public static func allows(_ name: Span<UInt8>) -> Bool {
        guard ByteSet.token.holdsAll(of: name) else { return false }
        for rule in beginnings where begins(name, with: rule) { return false }
        for rule in names where name.count == rule.utf8CodeUnitCount && begins(name, with: rule) { return false }
        // RFC 9530 §2 wants it here: it can be computed only when the content was sent.
        return begins(name, with: "content-digest") || !begins(name, with: "content-")
    }

    private static let names: [StaticString] = [
        // Framing and the connection.
        "connection", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
        // Routing.
        "forwarded", "host", "max-forwards", "via",
        // Who calls, and with what right.
        "authentication-info", "authorization", "cookie", "cookie2", "dpop", "dpop-nonce", "set-cookie", "set-cookie2",
        "txn-token", "www-authenticate", "x-request-id",
        // What is asked for.
        "expect", "pragma", "prefer", "range", "traceparent", "tracestate",
        // What becomes of the answer.
        "age", "alt-svc", "cache-control", "clear-site-data", "date", "expires", "location", "refresh", "retry-after",
        "strict-transport-security", "vary", "warning",
    ]

    private static let beginnings: [StaticString] = [
        "access-control-", "client-cert", "if-", "proxy-", "sallyport-", "workload-", "x-forwarded-",
    ]

    private static func begins(_ name: Span<UInt8>, with text: StaticString) -> Bool {
        guard name.count >= text.utf8CodeUnitCount else { return false }
        let wanted = unsafe Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount)
        for index in wanted.indices {
            let byte = name[index] == UInt8(ascii: "_") ? UInt8(ascii: "-") : name[index].asciiLowercased
            guard byte == wanted[index] else { return false }
        }
        return true
    }
}
