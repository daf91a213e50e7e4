import Bytes
import HTTP

/// Where the access token of a request lies (RFC 6750 §2.1): in one `Authorization` field and nowhere else.
enum Credentials {
    /// Finds the one token.
    ///
    /// - Parameters:
    ///   - request: the head; only its fields are looked at.
    ///   - target: its query must not hold a token.
    ///   - limit: the most bytes a token may have.
    /// - Returns: the token's offsets within the value of the `Authorization` line, and that line's index.
    static func locate(
        in request: borrowing RequestHead, target: borrowing NormalizedTarget, limit: Int
    ) throws(Denial) -> (line: Int, token: Range<Int>) {
        guard request.fields.lineCount(of: .authorization) <= 1 else {
            throw Denial(.invalidRequest, "credentials.two-authorization-fields")
        }
        guard request.fields.lineCount(of: .dpop) <= 1 else {
            throw Denial(.invalidRequest, "credentials.two-dpop-fields")
        }
        guard !target.hasQueryParameter(named: "access_token") else {
            throw Denial(.invalidRequest, "credentials.in-query")
        }
        guard let line = request.fields.firstIndex(of: .authorization) else {
            throw Denial(.credentialsMissing, "credentials.missing")
        }
        return (line, try token(in: request.fields.value(line), limit: limit))
    }

    /// Reads `Bearer` 1*SP token68 (RFC 9110 §11.4) with exactly one space: any other separator is refused.
    private static func token(in value: Span<UInt8>, limit: Int) throws(Denial) -> Range<Int> {
        var end = 0
        while end < value.count, isSchemeCharacter(value[end]) { end += 1 }
        let scheme = value.extracting(0..<end)
        guard scheme.equalsIgnoringCase("bearer") else {
            if scheme.equalsIgnoringCase("dpop") { throw Denial(.invalidToken, "credentials.scheme-unsupported") }
            throw Denial(.credentialsMissing, "credentials.other-scheme")
        }
        guard end + 1 < value.count, value[end] == UInt8(ascii: " "), ByteSet.visible.contains(value[end + 1]) else {
            throw Denial(.invalidToken, "credentials.malformed")
        }
        let token = end + 1..<value.count
        guard token.count <= limit else { throw Denial(.tooLarge, "limit.token-bytes", status: 431) }
        return token
    }

    private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
        switch byte.asciiLowercased {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
