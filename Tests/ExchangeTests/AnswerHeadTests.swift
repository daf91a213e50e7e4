import Bytes
import HTTP
import Testing

@testable import Exchange

@Suite("The head of an answer")
struct AnswerHeadTests {
    private static let ours = "x-request-id: \(Trial.identifierText)"

    private func fill(
        _ fields: [(String, String)], status: UInt16 = 200, framing: BodyFraming = .none
    ) -> (status: UInt16, framing: BodyFraming, lines: [String]) {
        var exchange = Trial.exchange()
        var answer = ResponseHead()
        var head = ResponseHead()
        answer.status = status
        answer.framing = framing
        for (name, value) in fields { answer.fields.append(name: name.utf8.span, value: value.utf8.span) }
        head.fields.append(.server, value: "what was there before".utf8.span)
        exchange.fill(&head, from: answer)
        return (head.status, head.framing, lines(head.fields))
    }

    @Test("Status, framing and the fields of the answer itself pass in their order")
    func passes() {
        let fields = [
            ("Content-Type", "text/plain"), ("Set-Cookie", "a=b"), ("Set-Cookie", "c=d"), ("ETag", "\"x\""),
            ("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("WWW-Authenticate", "Basic realm=\"x\""), ("X-Empty", ""),
        ]
        let filled = fill(fields, status: 418, framing: .length(7))
        #expect(filled.status == 418)
        #expect(filled.framing == .length(7))
        #expect(filled.lines == fields.map { "\($0.lowercased()): \($1)" } + [Self.ours])
    }

    @Test(
        "What is for one connection stays behind",
        arguments: [
            "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Trailer",
            "Transfer-Encoding", "Upgrade", "Content-Length",
        ])
    func hopByHop(name: String) {
        #expect(fill([(name, "x"), ("Server", "y")]).lines == ["server: y", Self.ours])
    }

    @Test("So does what Connection lists, on any of its lines and in any case")
    func listed() {
        let fields = [
            ("X-One", "1"), ("Connection", "close, x-one"), ("x-two", "2"), ("Connection", "X-TWO ,, x-three"),
            ("X-Three", "3"), ("X-Three", "3"), ("X-Four", "4"),
        ]
        #expect(fill(fields).lines == ["x-four: 4", Self.ours])
        let unlisted = fields.filter { $0.0 != "Connection" }
        #expect(fill(unlisted).lines == unlisted.map { "\($0.lowercased()): \($1)" } + [Self.ours])
    }

    @Test("Our request id replaces the upstream's, and Connection cannot take it away")
    func requestIdentifier() {
        #expect(fill([("X-Request-Id", "theirs"), ("x-request-id", "theirs")]).lines == [Self.ours])
        #expect(fill([("Connection", "x-request-id")]).lines == [Self.ours])
    }

    @Test(
        "An upstream cannot speak in the gateway's name, nor send its token on, in any spelling",
        arguments: ["X_Request_Id", "Sallyport-Agent", "sallyport_scope", "SALLYPORT.X", "Txn-Token", "txn_token"])
    func ownNames(name: String) {
        #expect(fill([(name, "theirs")]).lines == [Self.ours])
        #expect(fill([("a" + name, "theirs")]).lines == ["a\(name.lowercased()): theirs", Self.ours])
    }
}
