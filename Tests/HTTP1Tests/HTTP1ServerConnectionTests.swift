import Bytes
import HTTP
import HTTP1
import Testing

@Suite("The server's side of a connection")
struct HTTP1ServerConnectionTests {
    /// A connection on which `input` has arrived and nothing was answered.
    static func asked(_ input: String) -> ServerTranscript {
        var transcript = ServerTranscript()
        transcript.answers = false
        transcript.feed(input)
        return transcript
    }

    static let bodyOfFive = request(line: "POST / HTTP/1.1", "content-length: 5\r\n", body: "hello")

    // MARK: Output

    @Test(
        "An answer is framed for its client",
        arguments: [
            ("GET / HTTP/1.1", ResponseText(), [], "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
            (
                "GET / HTTP/1.1", ResponseText(framing: .length(3)), ["a", "", "bc"],
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc"
            ),
            (
                "GET / HTTP/1.1", ResponseText(framing: .streamed), ["0123456789abcdefg", "", "b"],
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n11\r\n0123456789abcdefg\r\n1\r\nb\r\n0\r\n\r\n"
            ),
            (
                "GET / HTTP/1.1", ResponseText(framing: .untilClose), ["a"],
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
            ),
            (
                "GET / HTTP/1.0", ResponseText(framing: .streamed), ["a", "b"],
                "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nab"
            ),
            ("HEAD / HTTP/1.1", ResponseText(), ["x"], "HTTP/1.1 200 OK\r\n\r\n"),
            (
                "HEAD / HTTP/1.1", ResponseText(framing: .length(3)), ["abc"],
                "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n"
            ),
            ("HEAD / HTTP/1.1", ResponseText(framing: .streamed), ["abc"], "HTTP/1.1 200 OK\r\n\r\n"),
            (
                "GET / HTTP/1.1", ResponseText(status: 204, framing: .length(3)), ["abc"],
                "HTTP/1.1 204 No Content\r\n\r\n"
            ),
            (
                "GET / HTTP/1.1", ResponseText(status: 304, framing: .length(3)), ["abc"],
                "HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n"
            ),
            ("GET / HTTP/1.1", ResponseText(status: 299), [], "HTTP/1.1 299 \r\ncontent-length: 0\r\n\r\n"),
        ] as [(String, ResponseText, [String], String)])
    func framing(line: String, answer: ResponseText, content: [String], output: String) {
        var transcript = Self.asked(request(line: line))
        transcript.answer(answer, content: content)
        let written = transcript.output.takeText()
        #expect(written == output)
    }

    @Test("HTTP/1.0 is told that the connection stays open where it asked for that")
    func keepAlive() {
        var transcript = Self.asked(request(line: "GET / HTTP/1.0", "connection: keep-alive\r\n"))
        transcript.answer(ResponseText(framing: .length(1)), content: ["x"])
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: keep-alive\r\n\r\nx")
        #expect(transcript.machine.afterAnswer == .readNext)
        transcript.feed(request(line: "GET / HTTP/1.0", "connection: keep-alive\r\n"))
        transcript.answer(ResponseText(framing: .streamed), content: ["x"])
        let last = transcript.output.takeText()
        #expect(last == "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nx")
        #expect(transcript.machine.afterAnswer == .close)
    }

    @Test("Fields of the connection are the machine's own, and no field can break out of its line")
    func fieldHygiene() {
        var transcript = Self.asked(request())
        let fields = [
            Line("connection", "x"), Line("keep-alive", "1"), Line("transfer-encoding", "gzip"),
            Line("content-length", "9"),
            Line("upgrade", "h2c"), Line("proxy-connection", "x"), Line("X-A", "1"),
            Line("x-b", "a\r\nset-cookie: c\u{0}"),
            Line("x c", "1"), Line("", "1"), Line("x-d", ""), Line("host", "kept"),
        ]
        transcript.answer(ResponseText(fields: fields))
        let written = transcript.output.takeText()
        let expected = "x-a: 1\r\nx-b: a  set-cookie: c \r\nx-d: \r\nhost: kept\r\ncontent-length: 0\r\n\r\n"
        #expect(written == "HTTP/1.1 200 OK\r\n" + expected)
    }

    @Test("Interim answers come before the final one, and never to HTTP/1.0")
    func interim() {
        var transcript = Self.asked(request())
        transcript.sendHead(ResponseText(status: 103, framing: .length(3), fields: [Line("link", "x")]))
        transcript.answer(ResponseText())
        let written = transcript.output.takeText()
        let final = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        #expect(written == "HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + final)
        var old = Self.asked(request(line: "GET / HTTP/1.0"))
        old.sendHead(ResponseText(status: 103))
        let nothing = old.output.takeText()
        #expect(nothing == "")
    }

    @Test("More content than declared is dropped, less ends the connection")
    func wrongLength() {
        var over = Self.asked(request())
        over.answer(ResponseText(framing: .length(2)), content: ["a", "bc"])
        let written = over.output.takeText()
        #expect(written.hasSuffix("\r\n\r\nab"))
        #expect(over.machine.afterAnswer == .close)
        var under = Self.asked(request())
        under.answer(ResponseText(framing: .length(2)), content: ["a"])
        #expect(under.machine.afterAnswer == .close)
        var exact = Self.asked(request())
        exact.answer(ResponseText(framing: .length(2)), content: ["ab"])
        #expect(exact.machine.afterAnswer == .readNext)
    }

    // MARK: Life

    @Test("Pipelined requests are read in order, each after the answer before it")
    func pipelining() {
        var transcript = Self.asked(
            request(line: "GET /1 HTTP/1.1") + Self.bodyOfFive + request(line: "GET /3 HTTP/1.1"))
        #expect(transcript.events == [.request(RequestText(target: "/1"), hasBody: false), .waiting])
        #expect(transcript.machine.isIdle == false)
        transcript.events = []
        transcript.answer(ResponseText())
        transcript.drain()
        #expect(transcript.events.count == 4 && transcript.events[1...] == [.body("hello"), .end, .waiting])
        transcript.events = []
        transcript.answer(ResponseText())
        transcript.drain()
        #expect(transcript.events == [.request(RequestText(target: "/3"), hasBody: false), .waiting])
        transcript.answer(ResponseText())
        #expect(transcript.machine.isIdle == true)
    }

    @Test("A fault in a pipelined request is found only when its turn comes")
    func pipelinedFault() {
        var transcript = Self.asked(request() + "bad\r\n\r\n")
        #expect(transcript.events.count == 2)
        transcript.answer(ResponseText())
        let written = transcript.output.takeText()
        #expect(!written.contains("close"))
        transcript.drain()
        #expect(transcript.events.last == .fault(.requestLine))
    }

    @Test("A refused request is answered, once, and the connection closes")
    func refusal() {
        var transcript = Self.asked(request(line: "HEAD / HTTP/1.1"))
        transcript.answer(ResponseText(framing: .length(1)))
        _ = transcript.output.takeText()
        transcript.feed("bad\r\n\r\n" + request())
        #expect(transcript.machine.hasSentHead == false)
        transcript.answer(ResponseText(status: 400, framing: .length(1)), content: ["x"])
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 400 Bad Request\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx")
        #expect(transcript.machine.afterAnswer == .close)
        transcript.events = []
        transcript.drain()
        #expect(transcript.events == [.fault(.requestLine)])
    }

    @Test("The answer to a malformed HEAD has no content either")
    func refusedHEAD() {
        var transcript = Self.asked(request(line: "HEAD / HTTP/1.1", "bad\r\n"))
        transcript.answer(ResponseText(status: 400, framing: .length(1)), content: ["x"])
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 400 Bad Request\r\ncontent-length: 1\r\nconnection: close\r\n\r\n")
    }

    @Test("An answer without a request, such as a timeout's, closes")
    func unasked() {
        var transcript = Self.asked("GET / HT")
        transcript.answer(ResponseText(status: 408))
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        #expect(transcript.machine.afterAnswer == .close)
    }

    @Test("An answer may end before the request does; the rest of the content is then discarded")
    func earlyAnswer() {
        var transcript = Self.asked(String(Self.bodyOfFive.dropLast(3)))
        #expect(transcript.machine.afterAnswer == .finishRequestBody)
        transcript.answer(ResponseText())
        #expect(transcript.machine.afterAnswer == .finishRequestBody)
        #expect(transcript.machine.isIdle == false)
        transcript.events = []
        transcript.feed("llo" + request())
        #expect(transcript.events == [.body("llo"), .end, .request(RequestText(), hasBody: false), .waiting])
        transcript.answer(ResponseText())
        #expect(transcript.machine.afterAnswer == .readNext)
        let written = transcript.output.takeText()
        #expect(!written.contains("close"))
    }

    @Test("An early answer can end the connection instead")
    func earlyClose() {
        var transcript = Self.asked(String(Self.bodyOfFive.dropLast(3)))
        transcript.machine.closeAfterAnswer()
        transcript.answer(ResponseText(status: 403))
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        #expect(transcript.machine.afterAnswer == .close)
    }

    @Test("A fault in the content after an early answer refuses what follows")
    func faultAfterAnswer() {
        var transcript = Self.asked(request(line: "POST / HTTP/1.1", "transfer-encoding: chunked\r\n"))
        transcript.answer(ResponseText())
        transcript.events = []
        transcript.feed("x\r\n" + request())
        #expect(transcript.events == [.fault(.chunk)])
        #expect(transcript.machine.hasSentHead == true)
        #expect(transcript.machine.afterAnswer == .close)
    }

    @Test("After closing was announced nothing more is read")
    func closeAfterAnswer() {
        var transcript = Self.asked(request() + request())
        transcript.machine.closeAfterAnswer()
        transcript.answer(ResponseText())
        let written = transcript.output.takeText()
        #expect(written == "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        transcript.events = []
        transcript.drain()
        #expect(transcript.events == [.waiting])
        #expect(transcript.machine.isIdle == false)
    }

    // MARK: 100 (Continue)

    static let expecting = request(line: "POST / HTTP/1.1", "expect: 100-continue\r\ncontent-length: 5\r\n")

    @Test("Content that waits is asked for once")
    func continues() {
        var transcript = Self.asked(Self.expecting)
        transcript.machine.sendContinue(into: &transcript.output)
        transcript.machine.sendContinue(into: &transcript.output)
        let interim = transcript.output.takeText()
        #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
        transcript.feed("hello")
        transcript.answer(ResponseText())
        #expect(transcript.machine.afterAnswer == .readNext)
    }

    @Test("Content that comes unasked needs no asking", arguments: [request(), bodyOfFive, expecting + "h"])
    func needsNoContinue(input: String) {
        var transcript = Self.asked(input)
        transcript.machine.sendContinue(into: &transcript.output)
        let nothing = transcript.output.takeText()
        #expect(nothing == "")
        transcript.answer(ResponseText())
        #expect(transcript.machine.afterAnswer != .close)
    }

    @Test("A final answer to a client that still waits ends the connection: its content may or may not come")
    func refusesToContinue() {
        var transcript = Self.asked(Self.expecting)
        transcript.answer(ResponseText(status: 401))
        let written = transcript.output.takeText()
        #expect(written.contains("connection: close\r\n"))
        #expect(transcript.machine.afterAnswer == .close)
    }

    // MARK: The end of input

    @Test(
        "The end of input is fine between requests only",
        arguments: [
            ("", .idle), ("\r\n", .idle), ("G", .truncated), (request().dropLast(1).description, .truncated),
            (request(), .answerOwed), (bodyOfFive, .answerOwed), (bodyOfFive.dropLast().description, .truncated),
            (request(line: "POST / HTTP/1.1", "transfer-encoding: chunked\r\n", body: "0\r\n"), .truncated),
            ("bad\r\n", .truncated),
        ] as [(String, HTTP1ServerConnection.End)])
    func endOfInput(input: String, end: HTTP1ServerConnection.End) {
        var transcript = Self.asked(input)
        let found = transcript.machine.endOfInput()
        #expect(found == end)
        if end == .answerOwed {
            transcript.answer(ResponseText())
            let later = transcript.machine.endOfInput()
            #expect(later == .idle)
        }
        #expect(transcript.machine.afterAnswer == .close)
    }

    @Test("Pipelined requests are served although the client has ended its side")
    func halfClosed() {
        var transcript = Self.asked(request() + request())
        let first = transcript.machine.endOfInput()
        transcript.answer(ResponseText())
        transcript.drain()
        let second = transcript.machine.endOfInput()
        #expect(first == .answerOwed && second == .answerOwed)
        #expect(transcript.events.count == 4)
    }
}
