public import Bytes
public import HTTP

extension Exchange {
    /// Fills the answer to a denied call: problem details (RFC 9457) that say the code and nothing finer.
    ///
    /// - Parameters:
    ///   - head: is emptied and filled.
    ///   - body: is emptied and filled.
    ///   - denial: what was decided.
    public mutating func fill(_ head: inout ResponseHead, _ body: inout ByteQueue, denial: Denial) {
        body.removeAll()
        body.append("{\"type\":\"urn:sallyport:")
        body.append(utf8: denial.code.rawValue)
        body.append("\",\"title\":\"")
        body.append(denial.code.title)
        body.append("\",\"status\":")
        body.append(decimal: UInt64(denial.status))
        body.append(",\"instance\":\"")
        identifier.append(to: &body)
        body.append("\"}\n")

        head.removeAll()
        head.status = denial.status
        head.framing = .length(UInt64(body.count))
        head.fields.append(.contentType, value: "application/problem+json".utf8.span)
        Challenge.append(for: denial, to: &head.fields)
        if denial.code == .unavailable || denial.code == .rateLimited {
            head.fields.append(.retryAfter, value: "1".utf8.span)
        }
        addRequestIdentifier(to: &head)
    }
}

/// The `WWW-Authenticate` fields of an answer (RFC 6750 §3, RFC 9449 §7.1); nothing of a request is repeated in them.
enum Challenge {
    static func append(for denial: Denial, to fields: inout FieldTable) {
        switch denial.code {
        case .invalidRequest:
            fields.append(.wwwAuthenticate, value: "Bearer realm=\"sallyport\", error=\"invalid_request\"".utf8.span)
            fields.append(.wwwAuthenticate, value: "DPoP error=\"invalid_request\"".utf8.span)
        case .credentialsMissing:
            fields.append(.wwwAuthenticate, value: "Bearer realm=\"sallyport\"".utf8.span)
        case .invalidToken:
            fields.append(.wwwAuthenticate, value: "Bearer realm=\"sallyport\", error=\"invalid_token\"".utf8.span)
        case .insufficientScope, .policy:
            var value = ByteQueue()
            value.append("Bearer realm=\"sallyport\", error=\"insufficient_scope\"")
            if let scope = denial.scope, isQuotable(scope) {
                value.append(", scope=\"")
                value.append(utf8: scope)
                value.append(UInt8(ascii: "\""))
            }
            fields.append(.wwwAuthenticate, value: value.readable)
        default:
            break
        }
    }

    /// RFC 6749 §3.3: scope tokens hold neither quotes nor backslashes nor anything outside visible ASCII.
    private static func isQuotable(_ scope: String) -> Bool {
        !scope.isEmpty
            && scope.utf8.allSatisfy {
                $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
            }
    }
}
