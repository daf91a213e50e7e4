import Bytes
import HTTP
import HTTP1
import Testing

@Suite("The client's side of a connection")
struct HTTP1ClientConnectionTests {
    /// The events of `input` as the answer to a request, whatever the size of the pieces in which it arrives.
    static func events(_ input: String, to method: String = "GET", limits: HeadLimits = roomy) -> [Event] {
        let whole = receive(input, by: .max, method: method, limits: limits)
        for size in [1, 2, 7] {
            let pieces = receive(input, by: size, method: method, limits: limits)
            #expect(pieces == whole, "in pieces of \(size): \(input.debugDescription)")
        }
        return whole
    }

    static func receive(_ input: String, by size: Int, method: String, limits: HeadLimits) -> [Event] {
        var transcript = ClientTranscript(limits: limits)
        transcript.send(RequestText(method: method))
        transcript.feed(input, by: size)
        return transcript.events
    }

    static func answer(
        _ line: String = "HTTP/1.1 200 OK", _ fields: String = "content-length: 5\r\n", body: String = "hello"
    ) -> String {
        "\(line)\r\n\(fields)\r\n\(body)"
    }

    static let ofFive = ResponseText(framing: .length(5), fields: [Line("content-length", "5")])

    // MARK: Requests

    @Test(
        "A request is framed as its head says",
        arguments: [
            (RequestText(), [], "GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
            (RequestText(method: "POST"), [], "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"),
            (RequestText(), ["dropped"], "GET / HTTP/1.1\r\nhost: a\r\n\r\n"),
            (
                RequestText(method: "PUT", target: "/a?b", authority: "c:1", framing: .length(3)), ["a", "", "bc"],
                "PUT /a?b HTTP/1.1\r\nhost: c:1\r\ncontent-length: 3\r\n\r\nabc"
            ),
            (
                RequestText(method: "GET", framing: .streamed), ["ab", "", "c"],
                "GET / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
            ),
            (RequestText(method: "OPTIONS", target: "*"), [], "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n"),
        ])
    func writes(request: RequestText, content: [String], output: String) {
        var transcript = ClientTranscript()
        transcript.send(request, content: content)
        let written = transcript.output.takeText()
        #expect(written == output)
    }

    @Test("Fields of the connection are the machine's own, and no field can break out of its line")
    func fieldHygiene() {
        var transcript = ClientTranscript()
        let fields = [
            Line("host", "b"), Line("connection", "x"), Line("keep-alive", "1"), Line("transfer-encoding", "gzip"),
            Line("content-length", "9"), Line("upgrade", "h2c"), Line("proxy-connection", "x"),
            Line("expect", "100-continue"), Line("X-A", "1"), Line("x-b", "a\r\nx-c: d"), Line("x:y", "1"),
        ]
        transcript.send(RequestText(fields: fields))
        let written = transcript.output.takeText()
        #expect(written == "GET / HTTP/1.1\r\nhost: a\r\nx-a: 1\r\nx-b: a  x-c: d\r\n\r\n")
    }

    // MARK: Answers

    @Test(
        "A status line is read with its phrase, without it, and without the space before it",
        arguments: [
            "HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.1 200", "HTTP/1.1 200 \t Caf\u{e9} 1 ", "HTTP/1.0 200 OK",
        ])
    func statusLines(line: String) {
        let expected: [Event] = [.response(Self.ofFive, hasBody: true), .body("hello"), .end]
        #expect(Self.events(Self.answer(line)) == expected)
    }

    @Test(
        "A status line that breaks a rule is malformed",
        arguments: [
            ("HTTP/1.1 99 x", .statusLine), ("HTTP/1.1 099 x", .statusLine), ("HTTP/1.1 600 x", .statusLine),
            ("HTTP/1.1 20 OK", .statusLine), ("HTTP/1.1 2000 OK", .statusLine), ("HTTP/1.1 +20 OK", .statusLine),
            ("HTTP/1.1 2x0 OK", .statusLine), ("HTTP/1.1  200 OK", .statusLine), ("HTTP/1.1\t200 OK", .statusLine),
            ("HTTP/1.1 200\tOK", .statusLine), ("HTTP/1.1 200OK", .statusLine), ("HTTP/1.1 200 O\u{0}K", .statusLine),
            ("HTTP/1.1 200 O\u{7f}K", .statusLine), ("HTTP/1.1", .statusLine), ("HTTP/1.1 ", .statusLine),
            ("", .statusLine),
            (" HTTP/1.1 200 OK", .statusLine), ("HTTP/2.0 200 OK", .version), ("HTTP/1.2 200 OK", .version),
            ("http/1.1 200 OK", .version), ("HTTP/0.9 200 OK", .version), ("ICY 1234 200 OK", .version),
            ("HTTP/1.1 200 OK\r", .lineEnding), ("HTTP/1.1 200 O\rK", .lineEnding),
            ("HTTP/1.1 200 OK\nx: y", .lineEnding),
            ("HTTP/1.1 101 Switching Protocols", .statusLine),
        ] as [(String, MessageFault)])
    func badStatusLines(line: String, fault: MessageFault) {
        #expect(Self.events(Self.answer(line)) == [.fault(fault)])
    }

    @Test(
        "Fields of an answer that break a rule make it malformed",
        arguments: [
            ("content-length: 5\r\ncontent-length: 5\r\n", .contentLength), ("content-length: 5,5\r\n", .contentLength),
            ("content-length: -5\r\n", .contentLength), ("content-length: 9223372036854775808\r\n", .contentLength),
            ("transfer-encoding: gzip\r\n", .transferEncoding),
            ("transfer-encoding: gzip, chunked\r\n", .transferEncoding),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", .transferEncoding),
            ("transfer-encoding: chunked\r\ncontent-length: 5\r\n", .framing),
            ("content-length : 5\r\n", .fieldName), (": 5\r\n", .fieldName), ("x\r\n", .fieldLine),
            ("x: 1\r\n y\r\n", .fieldLine), ("x: \u{0}\r\n", .fieldValue), ("x: 1\ny: 2\r\n", .lineEnding),
            ("x: 1\ry: 2\r\n", .lineEnding), ("connection: a b\r\n", .fieldValue),
        ] as [(String, MessageFault)])
    func badFields(fields: String, fault: MessageFault) {
        #expect(Self.events(Self.answer("HTTP/1.1 200 OK", fields)) == [.fault(fault)])
    }

    @Test("A transfer coding in an answer of HTTP/1.0 is malformed")
    func chunkedIn10() {
        let fields = "transfer-encoding: chunked\r\n"
        #expect(Self.events(Self.answer("HTTP/1.0 200 OK", fields, body: "")) == [.fault(.transferEncoding)])
        #expect(Self.events(Self.answer("HTTP/1.1 200 OK", fields, body: "")).count == 1)
    }

    @Test("Host and Expect in an answer are fields like any other")
    func otherFields() {
        let fields = [Line("host", "x"), Line("expect", "y"), Line("content-length", "0")]
        let input = Self.answer("HTTP/1.1 200 OK", "Host: x\r\nExpect: y\r\ncontent-length: 0\r\n", body: "")
        #expect(Self.events(input) == [.response(ResponseText(fields: fields), hasBody: false)])
    }

    @Test("Chunked content is put together, and a bad chunk makes the answer malformed")
    func chunked() {
        let head = Event.response(
            ResponseText(framing: .streamed, fields: [Line("transfer-encoding", "chunked")]), hasBody: true)
        func events(_ body: String) -> [Event] {
            Self.events(Self.answer("HTTP/1.1 200 OK", "transfer-encoding: chunked\r\n", body: body))
        }
        #expect(events("5\r\nhello\r\n0\r\nx: 1\r\n\r\n") == [head, .body("hello"), .end, .trailers([Line("x", "1")])])
        #expect(events("5\r\nhello\r\n0\r\nx : 1\r\n\r\n") == [head, .body("hello"), .fault(.trailer)])
        #expect(events("5 \r\nhello\r\n0\r\n\r\n") == [head, .fault(.chunk)])
    }

    @Test(
        "An answer that can have no content has none, whatever it declares",
        arguments: [
            ("HEAD", "HTTP/1.1 200 OK", "content-length: 5\r\n", .length(5)),
            ("HEAD", "HTTP/1.1 200 OK", "transfer-encoding: chunked\r\n", .streamed),
            ("HEAD", "HTTP/1.1 200 OK", "", .none),
            ("GET", "HTTP/1.1 304 x", "content-length: 5\r\n", .length(5)), ("GET", "HTTP/1.1 304 x", "", .none),
            ("GET", "HTTP/1.1 304 x", "transfer-encoding: chunked\r\n", .streamed),
            ("GET", "HTTP/1.1 204 x", "", .none),
            ("GET", "HTTP/1.1 204 x", "content-length: 0\r\n", .none),
            ("GET", "HTTP/1.1 200 x", "content-length: 0\r\n", .none),
        ] as [(String, String, String, BodyFraming)])
    func noContent(method: String, line: String, fields: String, framing: BodyFraming) {
        var transcript = ClientTranscript()
        transcript.send(RequestText(method: method))
        transcript.feed(Self.answer(line, fields, body: ""))
        guard case .response(let head, hasBody: false) = transcript.events.first else {
            Issue.record("\(transcript.events)")
            return
        }
        #expect(head.framing == framing)
        #expect(transcript.machine.isReusable == true)
        transcript.feed("h")
        #expect(transcript.events.last == .unexpected)
        #expect(transcript.machine.isReusable == false)
    }

    @Test("A 204 or an interim answer that declares content is malformed", arguments: ["204", "100", "103"])
    func liesAboutContent(status: String) {
        for fields in ["content-length: 5\r\n", "transfer-encoding: chunked\r\n"] {
            #expect(Self.events(Self.answer("HTTP/1.1 \(status) x", fields)) == [.fault(.framing)])
        }
    }

    @Test("Interim answers are swallowed, but not without end")
    func interim() {
        let interim = "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
        let expected: [Event] = [
            .informational, .informational, .response(Self.ofFive, hasBody: true), .body("hello"), .end,
        ]
        #expect(Self.events("HTTP/1.1 100\r\n\r\n" + interim + Self.answer()) == expected)
        let endless = Self.events(
            String(repeating: interim, count: 10), limits: HeadLimits(bytes: interim.utf8.count * 9, count: 10))
        #expect(endless == Array(repeating: .informational, count: 9) + [.fault(.fieldsTooLarge)])
    }

    @Test("The limits of heads are those of requests")
    func limits() {
        let limits = HeadLimits(bytes: 40, count: 2)
        let long = "HTTP/1.1 200 " + String(repeating: "x", count: 26)
        #expect(Self.events(Self.answer(long, ""), limits: limits) == [.fault(.statusLine)])
        #expect(Self.events(Self.answer(String(long.dropLast()), ""), limits: limits).count == 2)
        #expect(Self.events(Self.answer(long, "")).count == 2)
        #expect(Self.events("HTTP/1.1 200\r\na:\r\nb:\r\nc:", limits: limits) == [])
        #expect(Self.events("HTTP/1.1 200\r\na:\r\nb:\r\nc:\r\n", limits: limits) == [.fault(.tooManyFields)])
        let large = "HTTP/1.1 200\r\n" + String(repeating: "x", count: 41)
        #expect(Self.events(large, limits: limits) == [.fault(.fieldsTooLarge)])
    }

    // MARK: Life

    @Test(
        "A connection is used again only where both sides keep it open",
        arguments: [
            ("HTTP/1.1 200 OK", "", true), ("HTTP/1.1 200 OK", "connection: keep-alive\r\n", true),
            ("HTTP/1.1 200 OK", "connection: close\r\n", false), ("HTTP/1.1 200 OK", "connection: x, Close\r\n", false),
            ("HTTP/1.0 200 OK", "", false), ("HTTP/1.0 200 OK", "connection: keep-alive\r\n", false),
        ])
    func reuse(line: String, fields: String, isReusable: Bool) {
        var transcript = ClientTranscript()
        #expect(transcript.machine.isReusable == true)
        transcript.send(RequestText())
        #expect(transcript.machine.isReusable == false)
        transcript.feed(Self.answer(line, fields + "content-length: 5\r\n"))
        #expect(transcript.events.last == .end)
        #expect(transcript.machine.isReusable == isReusable)
    }

    @Test("One exchange follows another, and a HEAD is forgotten")
    func exchanges() {
        var transcript = ClientTranscript()
        transcript.send(RequestText(method: "HEAD"))
        transcript.feed(Self.answer(body: ""))
        transcript.send(RequestText())
        transcript.feed(Self.answer())
        let expected: [Event] = [
            .response(Self.ofFive, hasBody: false), .response(Self.ofFive, hasBody: true), .body("hello"), .end,
        ]
        #expect(transcript.events == expected)
    }

    @Test("An answer that comes before the request has ended leaves the connection in use until it has")
    func earlyAnswer() {
        var transcript = ClientTranscript()
        transcript.sendHead(RequestText(method: "POST", framing: .streamed))
        transcript.feed(Self.answer())
        #expect(transcript.events.last == .end)
        #expect(transcript.machine.isReusable == false)
        transcript.machine.endBody(into: &transcript.output)
        #expect(transcript.machine.isReusable == true)
    }

    @Test("A request that fell short of its length, or went past it, is the connection's last", arguments: [1, 2, 3])
    func wrongLength(count: Int) {
        var transcript = ClientTranscript()
        transcript.send(
            RequestText(method: "POST", framing: .length(2)), content: [String(repeating: "x", count: count)])
        transcript.feed(Self.answer())
        #expect(transcript.machine.isReusable == (count == 2))
        let written = transcript.output.takeText()
        #expect(written.hasSuffix("\r\n\r\n" + String(repeating: "x", count: min(count, 2))))
    }

    @Test("Bytes that no request asked for spoil the connection")
    func unexpected() {
        var fresh = ClientTranscript()
        fresh.feed("H")
        #expect(fresh.events == [.unexpected])
        #expect(fresh.machine.isReusable == false)
        var used = ClientTranscript()
        used.send(RequestText())
        used.feed(Self.answer() + Self.answer())
        #expect(used.events == [.response(Self.ofFive, hasBody: true), .body("hello"), .end, .unexpected])
        #expect(used.machine.isReusable == false)
    }

    @Test("A malformed answer stays malformed, and spoils the connection")
    func malformed() {
        var transcript = ClientTranscript()
        transcript.send(RequestText())
        transcript.feed("bad\r\n\r\n")
        transcript.feed(Self.answer())
        #expect(transcript.events == [.fault(.statusLine), .fault(.statusLine)])
        #expect(transcript.machine.isReusable == false)
    }

    @Test(
        "The end of input ends an answer without a length, and cuts short any other",
        arguments: [
            ("", .truncated), ("H", .truncated), (answer("HTTP/1.1 200", "", body: ""), .complete),
            (answer("HTTP/1.1 200", "", body: "x"), .complete), (answer("HTTP/1.0 200", "", body: "x"), .complete),
            (answer(body: "hell"), .truncated), (answer(), .idle), ("HTTP/1.1 100\r\n\r\n", .truncated),
            (answer("HTTP/1.1 200", "transfer-encoding: chunked\r\n", body: "0\r\n"), .truncated),
            (answer("HTTP/1.1 200", "transfer-encoding: chunked\r\n", body: "0\r\n\r\n"), .idle),
            ("bad\r\n", .truncated),
        ] as [(String, HTTP1ClientConnection.End)])
    func endOfInput(input: String, end: HTTP1ClientConnection.End) {
        var transcript = ClientTranscript()
        transcript.send(RequestText())
        transcript.feed(input)
        let found = transcript.machine.endOfInput()
        #expect(found == end)
        #expect(transcript.machine.isReusable == false)
    }

    @Test(
        "It is known whether an answer had begun when the connection ended",
        arguments: [("", false), ("H", true), ("HTTP/1.1 100\r\n\r\n", true), (answer(body: ""), true)])
    func begun(input: String, hasBegun: Bool) {
        var transcript = ClientTranscript()
        transcript.send(RequestText())
        transcript.feed(input)
        #expect(transcript.machine.hasBegunAnswer == hasBegun)
    }

    @Test("The end of input on a connection without a request is nothing special")
    func idleEnd() {
        var transcript = ClientTranscript()
        let found = transcript.machine.endOfInput()
        #expect(found == .idle)
        #expect(transcript.machine.isReusable == false)
    }
}
