import Bytes
import Testing
import Tokens

@testable import Control

@Suite("Introspection")
struct IntrospectionTests {
    private func endpoint(id: String = "gateway", secret: String = "s3cret") -> IntrospectionEndpoint {
        IntrospectionEndpoint(
            url: "https://broker.example.test/introspect", clientID: id, clientSecret: ClientSecret(Array(secret.utf8)),
            timeout: .seconds(2), authorityFile: "ca.pem")
    }

    @Test("A token is asked about as RFC 7662 §2.1 says")
    func asks() {
        let request = Introspection.request(endpoint(), token: Array("a+b/c d=&é".utf8))
        #expect(request.url == "https://broker.example.test/introspect")
        #expect(request.method == .post)
        #expect(request.timeout == .seconds(2))
        #expect(request.authorityFile == "ca.pem")
        #expect(!request.dangerouslyAllowsPlainHTTP)
        #expect(
            String(decoding: request.body, as: UTF8.self)
                == "token=a%2Bb%2Fc+d%3D%26%C3%A9&token_type_hint=access_token")
        #expect(
            Dictionary(uniqueKeysWithValues: request.fields.map { ($0.name, $0.value) }) == [
                "accept": "application/json", "content-type": "application/x-www-form-urlencoded",
                "authorization": "Basic Z2F0ZXdheTpzM2NyZXQ=",
            ])
    }

    @Test(
        "Name and secret are form-encoded before they are joined (RFC 6749 §2.3.1)",
        arguments: [
            // RFC 6749 §2.3.1: the example's client.
            ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw", "czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3"),
            // "a%3Ab:c%26+d"
            ("a:b", "c& d", "YSUzQWI6YyUyNitk"), ("", "", "Og=="), ("a", "", "YTo="), ("ab", "", "YWI6"),
            // "%3F%3F%3F:%3E%3E%3E"
            ("???", ">>>", "JTNGJTNGJTNGOiUzRSUzRSUzRQ=="),
        ])
    func authenticates(id: String, secret: String, expected: String) {
        let request = Introspection.request(endpoint(id: id, secret: secret), token: [])
        #expect(request.fields.first { $0.name == "authorization" }?.value == "Basic " + expected)
    }

    @Test("A request does not print what it carries")
    func keepsSecrets() {
        let request = Introspection.request(endpoint(), token: Array("opaque".utf8))
        #expect("\(request)" == "POST https://broker.example.test/introspect")
        #expect(String(reflecting: request) == "POST https://broker.example.test/introspect")
    }

    @Test(
        "Only 200 with JSON is an answer",
        arguments: [
            (200, "application/json", nil), (200, "Application/JSON; charset=utf-8", nil),
            (200, "application/json ;x=y", nil),
            (200, "application/jwt", .contentType), (200, "text/html", .contentType), (200, "", .contentType),
            (200, "application/jsonx", .contentType), (200, "text/html; application/json", .contentType),
            (401, "application/json", .status(401)), (302, "application/json", .status(302)),
            (204, "application/json", .status(204)), (503, "text/html", .status(503)),
        ] as [(Int, String, RetrievalError?)])
    func answers(status: Int, type: String, error: RetrievalError?) {
        let body = Array(#"{"active":true}"#.utf8)
        let response = IncomingResponse(status: status, fields: type.isEmpty ? [:] : ["content-type": type], body: body)
        let answer = Introspection.answer(.success(response))
        #expect(answer.failure == error)
        #expect(answer.success == (error == nil ? body : nil))
    }

    @Test("No answer stays none", arguments: [RetrievalError.timedOut, .stopped, .tooLarge])
    func passesFailuresOn(error: RetrievalError) {
        #expect(Introspection.answer(.failure(error)).failure == error)
    }
}
