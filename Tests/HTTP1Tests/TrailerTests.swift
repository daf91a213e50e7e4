import Bytes
import HTTP
import HTTP1
import Testing

@Suite("Trailers")
struct TrailerTests {
    static let chunked = "transfer-encoding: chunked\r\n"

    /// What the server's machine says behind the head of a request with these trailer lines, however they arrive.
    static func served(_ trailers: String, limits: HeadLimits = roomy) -> [Event] {
        let input = request(line: "POST / HTTP/1.1", chunked, body: "2\r\nhi\r\n0\r\n\(trailers)\r\n")
        let whole = serve(input, limits: limits)
        for size in [1, 3] { #expect(serve(input, by: size, limits: limits) == whole) }
        return Array(whole.dropFirst(2))
    }

    @Test("Trailers are handed out behind the content, names in lower case")
    func fromRequest() {
        let lines = [Line("grpc-status", "0"), Line("x-empty", ""), Line("x-b", "a, b")]
        #expect(Self.served("Grpc-Status: 0\r\nx-empty:\r\nX-B: \t a, b \r\n") == [.end, .trailers(lines)])
        #expect(Self.served("") == [.end])
    }

    @Test("What may not stand in trailers is left out and the rest is kept")
    func filtered() {
        let lines = "content-length: 5\r\nx: 1\r\nAuthorization: Bearer a\r\nHost: b\r\ntransfer-encoding: x\r\n"
        #expect(Self.served(lines) == [.end, .trailers([Line("x", "1")])])
        #expect(Self.served("te: trailers\r\n") == [.end])
    }

    @Test(
        "Malformed trailers are refused",
        arguments: [
            ("x : 1\r\n", .trailer), (" x: 1\r\n", .trailer), ("x: 1\r\n y\r\n", .trailer), (": 1\r\n", .trailer),
            ("x\r\n", .trailer), ("x: \u{0}\r\n", .trailer), ("x: 1\n", .lineEnding), ("x: 1\rx", .lineEnding),
            ("content-length : 5\r\n", .trailer),
        ] as [(String, MessageFault)])
    func malformed(trailers: String, fault: MessageFault) {
        #expect(Self.served(trailers) == [.fault(fault)])
    }

    @Test("Trailers are as limited as heads, those that are left out too")
    func limits() {
        let limits = HeadLimits(bytes: 60, count: 2)
        let line = "host: 1\r\n"
        #expect(Self.served(line + "x: 2\r\n", limits: limits) == [.end, .trailers([Line("x", "2")])])
        #expect(Self.served(line + "x: 2\r\ny: 3\r\n", limits: limits) == [.fault(.tooManyFields)])
        let long = "x: " + String(repeating: "y", count: 54) + "\r\n"
        #expect(Self.served(long, limits: limits).count == 2)
        #expect(Self.served("x" + long, limits: limits) == [.fault(.fieldsTooLarge)])
    }

    @Test("The trailers of one request are not those of the next")
    func forgotten() {
        let input = HTTP1Tests.request(line: "POST / HTTP/1.1", Self.chunked, body: "0\r\nx: 1\r\n\r\n")
        let next = HTTP1Tests.request(line: "POST / HTTP/1.1", Self.chunked, body: "0\r\n\r\n")
        let events = serve(input + next)
        #expect(events.count { if case .trailers = $0 { true } else { false } } == 1)
        #expect(events.last == .end)
    }

    @Test("A client says that it takes trailers, and HTTP/1.0 cannot")
    func accepted() {
        for (line, value, accepts) in [
            ("GET / HTTP/1.1", "trailers", true), ("GET / HTTP/1.1", "gzip;q=0.5, Trailers", true),
            ("GET / HTTP/1.1", "trailer", false), ("GET / HTTP/1.1", "", false), ("GET / HTTP/1.0", "trailers", false),
        ] {
            let events = serve(HTTP1Tests.request(line: line, "TE: \(value)\r\n"))
            guard case .request(let head, _) = events.first else {
                Issue.record("\(events)")
                continue
            }
            #expect(head.acceptsTrailers == accepts)
        }
    }

    @Test(
        "An answer has trailers only where it is chunked and the client takes them",
        arguments: [
            ("GET / HTTP/1.1", "te: trailers\r\n", BodyFraming.streamed, "2\r\nhi\r\n0\r\nx: 1\r\n\r\n"),
            ("GET / HTTP/1.1", "", .streamed, "2\r\nhi\r\n0\r\n\r\n"),
            ("GET / HTTP/1.1", "te: trailers\r\n", .length(2), "hi"),
            ("GET / HTTP/1.0", "te: trailers\r\n", .streamed, "hi"),
            ("HEAD / HTTP/1.1", "te: trailers\r\n", .streamed, ""),
        ])
    func answer(line: String, fields: String, framing: BodyFraming, written: String) {
        var transcript = HTTP1ServerConnectionTests.asked(HTTP1Tests.request(line: line, fields))
        let trailers = [Line("X", "1"), Line("content-length", "9"), Line("y z", "1"), Line("set-cookie", "a")]
        transcript.answer(ResponseText(framing: framing), content: ["hi"], trailers: trailers)
        let output = transcript.output.takeText()
        let separator = "\r\n\r\n"
        #expect(output.hasSuffix(separator + written))
        #expect(output.dropLast(written.count).contains(separator))
    }

    @Test("No byte of a trailer can end its line")
    func injection() {
        var transcript = HTTP1ServerConnectionTests.asked(HTTP1Tests.request("te: trailers\r\n"))
        transcript.answer(ResponseText(framing: .streamed), trailers: [Line("x", "1\r\ny: 2\u{0}")])
        let output = transcript.output.takeText()
        #expect(output.hasSuffix("0\r\nx: 1  y: 2 \r\n\r\n"))
    }

    @Test("A request is sent with its trailers where it is chunked, and without them elsewhere")
    func sent() {
        var chunked = ClientTranscript()
        chunked.send(
            RequestText(method: "POST", framing: .streamed), content: ["a"],
            trailers: [Line("x", "1"), Line("te", "2")])
        let written = chunked.output.takeText()
        #expect(written.hasSuffix("\r\n\r\n1\r\na\r\n0\r\nx: 1\r\n\r\n"))
        var counted = ClientTranscript()
        counted.send(RequestText(method: "POST", framing: .length(1)), content: ["a"], trailers: [Line("x", "1")])
        let plain = counted.output.takeText()
        #expect(plain.hasSuffix("\r\n\r\na"))
    }

    @Test("A request with trailers is its connection's last, since servers mix them up with the next one's fields")
    func lastRequest() {
        for (framing, trailers, isReusable) in [
            (BodyFraming.streamed, [Line("x", "1")], false), (.streamed, [], true),
            (.length(1), [Line("x", "1")], true),
        ] {
            var transcript = ClientTranscript()
            transcript.send(RequestText(method: "POST", framing: framing), content: ["a"], trailers: trailers)
            transcript.feed("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            #expect(transcript.machine.isReusable == isReusable)
        }
    }

    @Test("A request says that trailers are taken, with its own word for the connection")
    func asksForTrailers() {
        var transcript = ClientTranscript()
        transcript.send(RequestText(fields: [Line("te", "gzip")], acceptsTrailers: true))
        let written = transcript.output.takeText()
        #expect(written == "GET / HTTP/1.1\r\nhost: a\r\nconnection: te\r\nte: trailers\r\n\r\n")
    }

    @Test("The trailers of an answer are handed out, and only once")
    func received() {
        var transcript = ClientTranscript()
        transcript.send(RequestText())
        transcript.feed("HTTP/1.1 200 OK\r\n\(Self.chunked)\r\n2\r\nhi\r\n0\r\nGrpc-Status: 7\r\nvary: x\r\n\r\n")
        #expect(transcript.events.suffix(2) == [.end, .trailers([Line("grpc-status", "7")])])
        var again = FieldTable()
        let found = transcript.machine.takeTrailers(into: &again)
        #expect(!found)
        #expect(transcript.machine.isReusable == true)
    }
}
