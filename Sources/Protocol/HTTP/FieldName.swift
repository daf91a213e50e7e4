import Bytes

/// The field names that the gateway itself reads, removes or writes (RFC 9110 §5.1), interned.
///
/// Every other name is ``other`` and is compared by its bytes.
public enum FieldName: UInt8, CaseIterable, Sendable {
    case other
    case accept, authorization, cacheControl, connection, contentLength, contentType, cookie, date, delegationChain
    case dpop, expect
    case forwarded, host, keepAlive, proxyAuthenticate, proxyAuthorization, proxyConnection, retryAfter, server
    case te, traceparent, tracestate, trailer, transferEncoding, txnToken, upgrade, wwwAuthenticate
    case workloadIdentityToken, workloadProofToken, xRequestID

    /// The name in lower case, as HTTP/2 writes it (RFC 9113 §8.2); empty for ``other``.
    public var text: StaticString {
        switch self {
        case .other: ""
        case .accept: "accept"
        case .authorization: "authorization"
        case .cacheControl: "cache-control"
        case .connection: "connection"
        case .contentLength: "content-length"
        case .contentType: "content-type"
        case .cookie: "cookie"
        case .date: "date"
        case .delegationChain: "delegation-chain"
        case .dpop: "dpop"
        case .expect: "expect"
        case .forwarded: "forwarded"
        case .host: "host"
        case .keepAlive: "keep-alive"
        case .proxyAuthenticate: "proxy-authenticate"
        case .proxyAuthorization: "proxy-authorization"
        case .proxyConnection: "proxy-connection"
        case .retryAfter: "retry-after"
        case .server: "server"
        case .te: "te"
        case .traceparent: "traceparent"
        case .tracestate: "tracestate"
        case .trailer: "trailer"
        case .transferEncoding: "transfer-encoding"
        case .txnToken: "txn-token"
        case .upgrade: "upgrade"
        case .workloadIdentityToken: "workload-identity-token"
        case .workloadProofToken: "workload-proof-token"
        case .wwwAuthenticate: "www-authenticate"
        case .xRequestID: "x-request-id"
        }
    }

    /// Interns a name that is in lower case already.
    public init(lowercased name: Span<UInt8>) {
        self = Self.candidates(length: name.count, first: name.isEmpty ? 0 : name[0]).first(matching: name)
    }

    /// The few names that share a length and a first letter.
    private static func candidates(length: Int, first: UInt8) -> Candidates {
        switch (length, first) {
        case (2, UInt8(ascii: "t")): Candidates(.te)
        case (4, UInt8(ascii: "d")): Candidates(.date, .dpop)
        case (4, UInt8(ascii: "h")): Candidates(.host)
        case (6, UInt8(ascii: "a")): Candidates(.accept)
        case (6, UInt8(ascii: "c")): Candidates(.cookie)
        case (6, UInt8(ascii: "e")): Candidates(.expect)
        case (6, UInt8(ascii: "s")): Candidates(.server)
        case (7, UInt8(ascii: "t")): Candidates(.trailer)
        case (7, UInt8(ascii: "u")): Candidates(.upgrade)
        case (9, UInt8(ascii: "f")): Candidates(.forwarded)
        case (9, UInt8(ascii: "t")): Candidates(.txnToken)
        case (10, UInt8(ascii: "c")): Candidates(.connection)
        case (10, UInt8(ascii: "k")): Candidates(.keepAlive)
        case (10, UInt8(ascii: "t")): Candidates(.tracestate)
        case (11, UInt8(ascii: "r")): Candidates(.retryAfter)
        case (11, UInt8(ascii: "t")): Candidates(.traceparent)
        case (12, UInt8(ascii: "c")): Candidates(.contentType)
        case (12, UInt8(ascii: "x")): Candidates(.xRequestID)
        case (13, UInt8(ascii: "a")): Candidates(.authorization)
        case (13, UInt8(ascii: "c")): Candidates(.cacheControl)
        case (14, UInt8(ascii: "c")): Candidates(.contentLength)
        case (16, UInt8(ascii: "d")): Candidates(.delegationChain)
        case (16, UInt8(ascii: "p")): Candidates(.proxyConnection)
        case (16, UInt8(ascii: "w")): Candidates(.wwwAuthenticate)
        case (17, UInt8(ascii: "t")): Candidates(.transferEncoding)
        case (18, UInt8(ascii: "p")): Candidates(.proxyAuthenticate)
        case (20, UInt8(ascii: "w")): Candidates(.workloadProofToken)
        case (23, UInt8(ascii: "w")): Candidates(.workloadIdentityToken)
        case (19, UInt8(ascii: "p")): Candidates(.proxyAuthorization)
        default: Candidates(.other)
        }
    }

    private struct Candidates {
        let one: FieldName
        let two: FieldName

        init(_ one: FieldName, _ two: FieldName = .other) {
            self.one = one
            self.two = two
        }

        func first(matching name: Span<UInt8>) -> FieldName {
            if one != .other, name.equals(one.text) { return one }
            if two != .other, name.equals(two.text) { return two }
            return .other
        }
    }
}
