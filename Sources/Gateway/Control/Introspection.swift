import Bytes
public import Tokens

/// What is sent to an introspection endpoint and what counts as its answer (RFC 7662 §2).
public enum Introspection {
    /// The most bytes of an answer.
    static let responseLimit = 64 << 10

    /// The request about a token.
    public static func request(_ endpoint: IntrospectionEndpoint, token: [UInt8]) -> OutgoingRequest {
        var body = Array("token=".utf8)
        FormEncoding.append(token, to: &body)
        body += Array("&token_type_hint=access_token".utf8)
        return OutgoingRequest(
            url: endpoint.url, method: .post,
            fields: [
                ("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded"),
                ("authorization", "Basic " + credentials(of: endpoint)),
            ],
            body: body, authorityFile: endpoint.authorityFile, timeout: endpoint.timeout, responseLimit: responseLimit,
            // The configuration has no such URL without the permission for it.
            dangerouslyAllowsPlainHTTP: endpoint.url.lowercased().hasPrefix("http:"))
    }

    /// The JSON body of an answer that counts: 200 with `application/json`.
    public static func answer(
        _ result: Result<IncomingResponse, RetrievalError>
    ) -> Result<[UInt8], RetrievalError> {
        result.flatMap { response in
            guard response.status == 200 else { return .failure(.status(response.status)) }
            let type = response.fields["content-type", default: ""].prefix { $0 != ";" }.filter {
                $0 != " " && $0 != "\t"
            }
            guard type.lowercased() == "application/json" else { return .failure(.contentType) }
            return .success(response.body)
        }
    }

    /// Name and secret as RFC 6749 §2.3.1 wants them: each form-encoded, joined by a colon, in base64 (RFC 7617).
    private static func credentials(of endpoint: IntrospectionEndpoint) -> String {
        var pair: [UInt8] = []
        FormEncoding.append(Array(endpoint.clientID.utf8), to: &pair)
        pair.append(UInt8(ascii: ":"))
        FormEncoding.append(endpoint.clientSecret.bytes, to: &pair)
        // The two alphabets of base64 differ in characters that form-encoded text never comes to.
        let text = Base64URL.encode(pair.span)
        return text + String(repeating: "=", count: (4 - text.count % 4) % 4)
    }
}
