import Bytes
import HTTP
import Testing

@testable import Exchange

@Suite("Denials to clients of gRPC")
struct GRPCStatusTests {
    private func answer(
        _ denial: Denial, contentType: String?, version: HTTPVersion = .http2
    ) -> (status: UInt16, lines: [String], body: Int) {
        var exchange = Trial.exchange("POST", "/a.B/C", contentType.map { [("Content-Type", $0)] } ?? [])
        exchange.request.version = version
        var head = ResponseHead()
        var body = ByteQueue()
        exchange.fill(&head, &body, denial: denial, proofAlgorithms: "ES256")
        return (head.status, lines(head.fields), body.count)
    }

    @Test(
        "A client of gRPC gets nothing but a head, with the status that the code stands for",
        arguments: [
            (ProblemCode.malformedRequest, 3), (.upstreamTimeout, 4), (.policy, 7), (.insufficientScope, 7),
            (.rateLimited, 8), (.tooLarge, 8), (.misdirected, 9), (.noRoute, 12), (.upstreamFailed, 14),
            (.unavailable, 14), (.invalidToken, 16), (.invalidProof, 16), (.invalidWorkloadToken, 16),
        ])
    func status(code: ProblemCode, status: Int) {
        let answer = answer(Denial(code, "a.reason"), contentType: "application/grpc+proto")
        #expect(answer.status == 200)
        #expect(answer.body == 0)
        #expect(answer.lines.contains("content-type: application/grpc"))
        #expect(answer.lines.contains("grpc-status: \(status)"))
        #expect(answer.lines.contains { $0.hasPrefix("grpc-message: ") && $0.contains(code.rawValue) })
        #expect(answer.lines.contains("x-request-id: \(Trial.identifierText)"))
    }

    @Test("A challenge is there as metadata")
    func challenge() {
        let answer = answer(Denial(.credentialsMissing, "a.reason"), contentType: "application/grpc")
        #expect(answer.lines.contains { $0.hasPrefix("www-authenticate: ") })
    }

    @Test(
        "Whoever does not speak gRPC over HTTP/2 gets problem details",
        arguments: ["application/grpc-web", "application/grpcx", "application/json", nil])
    func others(contentType: String?) {
        let answer = answer(Denial(.policy, "a.reason"), contentType: contentType)
        #expect(answer.status == 403)
        #expect(answer.lines.contains("content-type: application/problem+json"))
    }

    @Test("gRPC has no place in HTTP/1.1")
    func otherVersion() {
        #expect(answer(Denial(.policy, "x"), contentType: "application/grpc", version: .http11).status == 403)
        #expect(answer(Denial(.policy, "x"), contentType: "application/grpc", version: .http2).status == 200)
    }
}
