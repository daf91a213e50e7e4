import HTTP
import HTTP1
import Testing

@Suite("The content of a request")
struct RequestBodyTests {
    static let post = "POST / HTTP/1.1"

    static func head(_ framing: BodyFraming, _ fields: [Line], method: String = "POST") -> RequestText {
        RequestText(method: method, framing: framing, fields: fields)
    }

    static func chunked(_ body: String, limits: HeadLimits = roomy, bodyLimit: UInt64 = 0) -> [Event] {
        let input = request(line: post, "transfer-encoding: chunked\r\n", body: body)
        var events = requestEvents(input, limits: limits, bodyLimit: bodyLimit)
        let expected = Event.request(head(.streamed, [Line("transfer-encoding", "chunked")]), hasBody: true)
        #expect(events.first == expected)
        if !events.isEmpty { events.removeFirst() }
        return events
    }

    @Test("A declared length is read to its end, for any method", arguments: ["POST", "GET", "DELETE", "HEAD", "X"])
    func length(method: String) {
        let head = Self.head(.length(5), [Line("content-length", "5")], method: method)
        let input = request(line: "\(method) / HTTP/1.1", "Content-Length: 5\r\n", body: "hello")
        let next = Event.request(RequestText(), hasBody: false)
        #expect(requestEvents(input + request()) == [.request(head, hasBody: true), .body("hello"), .end, next])
        #expect(requestEvents(String(input.dropLast())) == [.request(head, hasBody: true), .body("hell")])
    }

    @Test("A length of zero is no content", arguments: ["0", "00", "0000000000000000000000000"])
    func zeroLength(value: String) {
        let head = Self.head(.none, [Line("content-length", value)])
        #expect(
            requestEvents(request(line: Self.post, "content-length: \(value)\r\n")) == [.request(head, hasBody: false)])
    }

    @Test("The greatest length is read as such, leading zeros or not", arguments: ["", "0", "000"])
    func greatestLength(zeros: String) {
        let text = zeros + "9223372036854775807"
        let head = Self.head(.length(UInt64(Int64.max)), [Line("content-length", text)])
        let input = request(line: Self.post, "content-length: \(text)\r\n", body: "x")
        #expect(requestEvents(input) == [.request(head, hasBody: true), .body("x")])
    }

    @Test(
        "Framing that could be read in two ways is refused",
        arguments: [
            ("content-length:\r\n", .contentLength), ("content-length: +5\r\n", .contentLength),
            ("content-length: -0\r\n", .contentLength), ("content-length: 5 5\r\n", .contentLength),
            ("content-length: 5,5\r\n", .contentLength), ("content-length: 5, \r\n", .contentLength),
            ("content-length: 0x5\r\n", .contentLength), ("content-length: 5.0\r\n", .contentLength),
            ("content-length: 5;\r\n", .contentLength), ("content-length: \"5\"\r\n", .contentLength),
            ("content-length: 9223372036854775808\r\n", .contentLength),
            ("content-length: 99999999999999999999\r\n", .contentLength),
            ("content-length: 184467440737095516150\r\n", .contentLength),
            ("content-length: 5\r\ncontent-length: 5\r\n", .contentLength),
            ("content-length: 5\r\nContent-Length: 6\r\n", .contentLength),
            ("content-length: \u{b2}\r\n", .contentLength), ("content-length: \u{660}\r\n", .contentLength),
            ("content-length : 5\r\n", .fieldName), ("content-length: 5\r\n 5\r\n", .fieldLine),
            ("transfer-encoding: identity\r\n", .transferEncoding), ("transfer-encoding:\r\n", .transferEncoding),
            ("transfer-encoding: gzip, chunked\r\n", .transferEncoding),
            ("transfer-encoding: chunked, chunked\r\n", .transferEncoding),
            ("transfer-encoding: chunked, identity\r\n", .transferEncoding),
            ("transfer-encoding: chunked,\r\n", .transferEncoding),
            ("transfer-encoding: ,chunked\r\n", .transferEncoding),
            ("transfer-encoding: xchunked\r\n", .transferEncoding),
            ("transfer-encoding: \"chunked\"\r\n", .transferEncoding),
            ("transfer-encoding: chunked;q=1\r\n", .transferEncoding),
            ("transfer-encoding: chunked\u{a0}\r\n", .transferEncoding),
            ("transfer-encoding: chunked\u{b}\r\n", .fieldValue),
            ("transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n", .transferEncoding),
            ("transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n", .transferEncoding),
            ("transfer-encoding : chunked\r\n", .fieldName), ("transfer-encoding: chunked\r\n x\r\n", .fieldLine),
            ("content-length: 5\r\ntransfer-encoding: chunked\r\n", .framing),
            ("transfer-encoding: chunked\r\ncontent-length: 0\r\n", .framing),
        ] as [(String, MessageFault)])
    func ambiguousFraming(fields: String, fault: MessageFault) {
        #expect(requestEvents(request(line: Self.post, fields, body: "5\r\nhello\r\n0\r\n\r\n")) == [.fault(fault)])
    }

    @Test("A transfer coding is refused in HTTP/1.0, whose servers may not know it")
    func chunkedIn10() {
        let fields = "transfer-encoding: chunked\r\n"
        #expect(requestEvents(request(line: "POST / HTTP/1.0", fields)) == [.fault(.transferEncoding)])
        #expect(requestEvents(request(line: "POST / HTTP/1.1", fields)).count == 1)
    }

    @Test("The name of the coding has no case")
    func chunkedInCapitals() {
        let input = request(line: Self.post, "Transfer-Encoding: \t ChunkED \r\n", body: "0\r\n\r\n")
        let head = Self.head(.streamed, [Line("transfer-encoding", "ChunkED")])
        #expect(requestEvents(input) == [.request(head, hasBody: true), .end])
    }

    @Test(
        "Chunks are put together; extensions are dropped",
        arguments: [
            ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
            ("0000000000000005\r\nhello\r\n0000\r\n\r\n", "hello"), ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
            ("A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"),
            ("5;a\r\nhello\r\n0;b=c\r\n\r\n", "hello"),
            ("5;a=\"b;\\\"c\t\u{e9}\";d\r\nhello\r\n0\r\n\r\n", "hello"), ("5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"),
            ("5;a;b=1;c\r\nhello\r\n0\r\n\r\n", "hello"),
        ])
    func chunks(body: String, content: String) {
        let expected: [Event] = content.isEmpty ? [.end] : [.body(content), .end]
        #expect(Self.chunked(body) == expected)
        #expect(Self.chunked(body + request()) == expected + [.request(RequestText(), hasBody: false)])
    }

    @Test(
        "A chunk that breaks a rule is refused",
        arguments: [
            ("\r\n", .chunk), ("x\r\n", .chunk), ("+5\r\n", .chunk), ("-5\r\n", .chunk), ("0x5\r\n", .chunk),
            ("5h\r\n", .chunk), (" 5\r\n", .chunk), ("5 \r\n", .chunk), ("5\t;a\r\n", .chunk), ("5;\r\n", .chunk),
            ("5; a\r\n", .chunk), ("5;a =b\r\n", .chunk), ("5;a=\r\n", .chunk), ("5;a= b\r\n", .chunk),
            ("5;=b\r\n", .chunk), ("5;;a\r\n", .chunk), ("5;a=b=c\r\n", .chunk), ("5;a=\"b\"c\r\n", .chunk),
            ("5;a=\"b\r\n", .chunk), ("5;a=\"b\r\"\r\n", .chunk), ("5;a=\"\\\r\n", .chunk), ("5;a\u{0}\r\n", .chunk),
            ("5;\u{e9}\r\n", .chunk),
            ("5,5\r\n", .chunk), ("5_\r\n", .chunk), ("\"5\"\r\n", .chunk),
            ("00000000000000005\r\n", .chunk), ("10000000000000000\r\n", .chunk),
            ("5\n", .lineEnding), ("\n", .lineEnding), ("5\rhello", .lineEnding), ("5;a\n", .lineEnding),
            ("5;a=b\n", .lineEnding), ("5\r\r\n", .lineEnding), ("0\r\n\n", .lineEnding), ("0\n\n", .lineEnding),
            ("0\r\n\rx", .lineEnding), ("0\r\nx: 1\n", .lineEnding), ("0\r\nx: 1\ry: 2\r\n", .lineEnding),
            ("0\r\nx : 1\r\n", .trailer), ("0\r\nx\r\n", .trailer), ("0\r\n: 1\r\n", .trailer),
            ("0\r\n x: 1\r\n", .trailer),
            ("0\r\nx: 1\r\n y\r\n", .trailer), ("0\r\nx: 1\u{0}\r\n", .trailer), ("0\r\n\u{e9}: 1\r\n", .trailer),
            ("0\r\nGET / HTTP/1.1\r\n", .trailer),
        ] as [(String, MessageFault)])
    func badChunks(body: String, fault: MessageFault) {
        #expect(Self.chunked(body) == [.fault(fault)])
    }

    @Test(
        "A chunk must end where its size says",
        arguments: [
            ("5\r\nhello0\r\n\r\n", "hello", .chunk), ("5\r\nhell\r\n0\r\n\r\n", "hell\r", .chunk),
            ("5\r\nhello\n0\r\n\r\n", "hello", .chunk), ("5\r\nhello\r0\r\n\r\n", "hello", .lineEnding),
            ("5\r\nhello\r\n\r\n", "hello", .chunk), ("5\r\nhello!\r\n0\r\n\r\n", "hello", .chunk),
        ] as [(String, String, MessageFault)])
    func chunkEnds(body: String, content: String, fault: MessageFault) {
        #expect(Self.chunked(body) == [.body(content), .fault(fault)])
    }

    @Test("The sizes of all chunks together must fit 64 bits")
    func overflow() {
        #expect(Self.chunked("ffffffffffffffff\r\nx") == [.body("x")])
        #expect(Self.chunked("1\r\nx\r\nffffffffffffffff\r\n") == [.body("x"), .fault(.chunk)])
        #expect(Self.chunked("1\r\nx\r\nfffffffffffffffe\r\ny") == [.body("xy")])
    }

    @Test("Chunk extensions and trailers are bounded for the whole message")
    func chunkLimits() {
        let limits = HeadLimits(bytes: 60, count: 2)
        func extensions(_ count: Int) -> String { String(repeating: "1;aaaa\r\nx\r\n", count: count) + "0\r\n\r\n" }
        // An extension of `;aaaa` and its CR is five bytes of extension.
        #expect(Self.chunked(extensions(12), limits: limits).last == .end)
        #expect(Self.chunked(extensions(13), limits: limits).last == .fault(.chunk))
        func trailer(_ length: Int) -> String { "0\r\nx:" + String(repeating: "y", count: length) + "\r\n\r\n" }
        #expect(Self.chunked(trailer(55), limits: limits).first == .end)
        #expect(Self.chunked(trailer(56), limits: limits) == [.fault(.fieldsTooLarge)])
        #expect(Self.chunked("0\r\nx:\r\ny:\r\n\r\n", limits: limits).first == .end)
        #expect(Self.chunked("0\r\nx:\r\ny:\r\nz:\r\n\r\n", limits: limits) == [.fault(.tooManyFields)])
    }

    @Test("Content of the limit's size passes, one byte more is refused before it is read")
    func bodyLimit() {
        let five = request(line: Self.post, "content-length: 5\r\n", body: "hello")
        #expect(requestEvents(five, bodyLimit: 5).last == .end)
        #expect(requestEvents(five, bodyLimit: 4) == [.fault(.contentTooLarge)])
        #expect(Self.chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", bodyLimit: 5) == [.body("hello"), .end])
        #expect(Self.chunked("2\r\nhe\r\n3\r\nllo", bodyLimit: 4) == [.body("he"), .fault(.contentTooLarge)])
        #expect(Self.chunked("ffffffffffffffff\r\n", bodyLimit: 4) == [.fault(.contentTooLarge)])
    }

    @Test("A head that is refused for its content's length can still be judged and logged")
    func refusedHeadIsFilled() {
        var transcript = ServerTranscript(bodyLimit: 4)
        transcript.feed(request(line: "PUT /x HTTP/1.1", "content-length: 5\r\ny: 1\r\n"))
        #expect(transcript.events == [.fault(.contentTooLarge)])
        let head = text(transcript.head)
        #expect(head.target == "/x" && head.method == "PUT" && head.fields.count == 2)
    }

    @Test(
        "An expectation of 100-continue is noted where content follows",
        arguments: [
            ("POST / HTTP/1.1", "expect: 100-continue\r\ncontent-length: 1\r\n", true),
            ("POST / HTTP/1.1", "Expect: 100-Continue\r\ntransfer-encoding: chunked\r\n", true),
            ("POST / HTTP/1.1", "expect: 100-continue\r\n", false),
            ("POST / HTTP/1.1", "expect: 100-continue\r\ncontent-length: 0\r\n", false),
            ("POST / HTTP/1.0", "expect: 100-continue\r\ncontent-length: 1\r\n", false),
            ("POST / HTTP/1.1", "content-length: 1\r\n", false),
        ])
    func expectation(line: String, fields: String, expected: Bool) {
        guard case .request(let head, _) = requestEvents(request(line: line, fields)).first else {
            Issue.record("refused")
            return
        }
        #expect(head.expectsContinue == expected)
    }

    @Test(
        "Any other expectation is refused",
        arguments: ["200-ok", "", "100-continue, x", "100-continue;a=b", "x=100-continue"])
    func otherExpectation(value: String) {
        let fields = "expect: \(value)\r\ncontent-length: 1\r\n"
        #expect(requestEvents(request(line: Self.post, fields)) == [.fault(.expectation)])
    }
}
