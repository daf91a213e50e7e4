import Bytes
import HTTP

/// The scheme under which an access token was presented (RFC 9110 §11.1).
public enum AuthorizationScheme: Equatable, Sendable {
    /// RFC 6750.
    case bearer
    /// RFC 9449 §7.1.
    case dpop
}

/// Where the access token of a request lies (RFC 6750 §2.1): in one `Authorization` field and nowhere else.
struct Credentials {
    /// The index of the `Authorization` line.
    let line: Int
    /// The token's offsets within the line's value.
    let token: Range<Int>
    /// How it was presented.
    let scheme: AuthorizationScheme

    /// Finds the one token, or nothing where there is no `Authorization` field.
    ///
    /// - Parameters:
    ///   - request: the head; only its fields are looked at.
    ///   - target: its query must not hold a token.
    ///   - limit: the most bytes a token may have.
    static func locate(
        in request: borrowing RequestHead, target: borrowing NormalizedTarget, limit: Int
    ) throws(Denial) -> Credentials? {
        guard request.fields.lineCount(of: .authorization) <= 1 else {
            throw Denial(.invalidRequest, "credentials.two-authorization-fields")
        }
        guard request.fields.lineCount(of: .dpop) <= 1 else {
            throw Denial(.invalidRequest, "credentials.two-dpop-fields")
        }
        guard !target.hasQueryParameter(named: "access_token") else {
            throw Denial(.invalidRequest, "credentials.in-query")
        }
        guard let line = request.fields.firstIndex(of: .authorization) else { return nil }
        let (scheme, token) = try read(request.fields.value(line), limit: limit)
        return Credentials(line: line, token: token, scheme: scheme)
    }

    /// Reads scheme 1*SP token68 (RFC 9110 §11.4) with exactly one space: any other separator is refused.
    private static func read(
        _ value: Span<UInt8>, limit: Int
    ) throws(Denial) -> (AuthorizationScheme, Range<Int>) {
        var end = 0
        while end < value.count, isSchemeCharacter(value[end]) { end += 1 }
        let name = value.extracting(0..<end)
        let scheme: AuthorizationScheme
        if name.equalsIgnoringCase("bearer") {
            scheme = .bearer
        } else if name.equalsIgnoringCase("dpop") {
            scheme = .dpop
        } else {
            throw Denial(.credentialsMissing, "credentials.other-scheme")
        }
        guard end + 1 < value.count, value[end] == UInt8(ascii: " "), ByteSet.visible.contains(value[end + 1]) else {
            throw Denial(.invalidToken, "credentials.malformed")
        }
        let token = end + 1..<value.count
        guard token.count <= limit else { throw Denial(.tooLarge, "limit.token-bytes", status: 431) }
        return (scheme, token)
    }

    private static func isSchemeCharacter(_ byte: UInt8) -> Bool {
        switch byte.asciiLowercased {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): true
        default: false
        }
    }
}
