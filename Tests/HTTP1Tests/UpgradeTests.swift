import Bytes
import HTTP
import HTTP1
import Testing

@Suite("Changing to another protocol")
struct UpgradeTests {
    static let fields = "connection: keep-alive, Upgrade\r\nupgrade: WebSocket\r\n"
    static let long = String(repeating: "y", count: 64)
    static let asking = RequestText(upgrade: "websocket")
    static let agreement = "HTTP/1.1 101 x\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\nx: 1\r\n\r\n"

    /// The head that the server's machine makes of `input`.
    static func head(_ input: String) -> RequestText? {
        guard case .request(let head, _) = serve(input).first else { return nil }
        return head
    }

    // MARK: The server's side

    @Test(
        "A request asks for another protocol with one token and the word of the connection",
        arguments: [
            ("GET / HTTP/1.1", fields, "websocket"),
            ("GET / HTTP/1.1", fields + "content-length: 0\r\n", "websocket"),
            ("GET / HTTP/1.1", "upgrade: websocket\r\n", ""),
            ("GET / HTTP/1.1", "connection: upgrade\r\n", ""),
            ("GET / HTTP/1.1", "connection: upgrade\r\nupgrade: websocket, h2c\r\n", ""),
            ("GET / HTTP/1.1", fields + "upgrade: h2c\r\n", ""),
            ("GET / HTTP/1.1", "connection: upgrade\r\nupgrade: HTTP/2.0\r\n", ""),
            ("GET / HTTP/1.1", "connection: upgrade\r\nupgrade:\r\n", ""),
            ("GET / HTTP/1.1", "connection: upgrade\r\nupgrade: " + long + "\r\n", long),
            ("GET / HTTP/1.1", "connection: upgrade\r\nupgrade: x" + long + "\r\n", ""),
            ("GET / HTTP/1.0", fields, ""), ("POST / HTTP/1.1", fields, ""),
            ("GET / HTTP/1.1", fields + "content-length: 2\r\n", ""),
            ("GET / HTTP/1.1", fields + "transfer-encoding: chunked\r\n", ""),
        ])
    func asked(line: String, fields: String, token: String) {
        #expect(Self.head(request(line: line, fields))?.upgrade == token)
    }

    @Test("What follows a request for another protocol waits for its answer")
    func waits() {
        var transcript = HTTP1ServerConnectionTests.asked(request(Self.fields) + "GET /2 HTTP/1.1\r\nhost: a\r\n\r\n")
        #expect(transcript.events.count == 2)
        #expect(transcript.events.last == .waiting)
        transcript.answer(ResponseText(status: 403))
        transcript.drain()
        guard case .request(let second, hasBody: false) = transcript.events[2] else {
            Issue.record("\(transcript.events)")
            return
        }
        #expect(second.target == "/2")
        #expect(transcript.machine.isTunnel == false)
    }

    @Test("The connection is given over, with what had come already, until its end")
    func tunnel() {
        var transcript = HTTP1ServerConnectionTests.asked(request(Self.fields) + "GET / HTTP/1.1\r\n")
        let answer = ResponseText(
            status: 101, fields: [Line("sec-websocket-accept", "x"), Line("connection", "y"), Line("upgrade", "z")],
            upgrade: "websocket")
        transcript.switchProtocols(answer)
        let written = transcript.output.takeText()
        let lines = "sec-websocket-accept: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
        #expect(written == "HTTP/1.1 101 Switching Protocols\r\n" + lines)
        #expect(transcript.machine.isTunnel == true)
        #expect(transcript.machine.isIdle == false)
        transcript.feed("\u{0}\r\n", by: 1)
        #expect(transcript.events.suffix(1) == [.tunnel("GET / HTTP/1.1\r\n\u{0}\r\n")])
        let end = transcript.machine.endOfInput()
        #expect(end == .tunnel)
    }

    // MARK: The client's side

    @Test(
        "Only a GET without content asks an upstream for another protocol",
        arguments: [
            (RequestText(upgrade: "websocket"), true), (RequestText(method: "HEAD", upgrade: "websocket"), false),
            (RequestText(framing: .streamed, upgrade: "websocket"), false), (RequestText(upgrade: "a b"), false),
            (RequestText(), false),
        ])
    func asks(request: RequestText, asks: Bool) {
        var transcript = ClientTranscript()
        transcript.send(request)
        let written = transcript.output.takeText()
        #expect(written.contains("\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n") == asks)
        #expect(written.contains("upgrade") == asks)
    }

    @Test("A 101 for what was asked gives the connection over, whatever the pieces", arguments: [1, 5, .max])
    func switched(size: Int) {
        var transcript = ClientTranscript()
        transcript.send(Self.asking)
        transcript.feed("HTTP/1.1 100\r\n\r\n" + Self.agreement + "HTTP/1.1 200 OK\r\n", by: size)
        let fields = [Line("connection", "Upgrade"), Line("upgrade", "WebSocket"), Line("x", "1")]
        let head = ResponseText(status: 101, fields: fields, upgrade: "websocket")
        #expect(transcript.events == [.informational, .switched(head), .tunnel("HTTP/1.1 200 OK\r\n")])
        #expect(transcript.machine.isTunnel == true)
        #expect(transcript.machine.isReusable == false)
        let end = transcript.machine.endOfInput()
        #expect(end == .tunnel)
    }

    @Test(
        "A 101 that does not agree to what was asked is malformed",
        arguments: [
            ("connection: upgrade\r\nupgrade: h2c\r\n", .upgrade), ("connection: upgrade\r\n", .upgrade),
            ("upgrade: websocket\r\n", .upgrade),
            ("connection: upgrade\r\nupgrade: websocket\r\nupgrade: websocket\r\n", .upgrade),
            ("connection: upgrade\r\nupgrade: websocket, h2c\r\n", .upgrade),
            ("connection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n", .framing),
        ] as [(String, MessageFault)])
    func disagrees(fields: String, fault: MessageFault) {
        var transcript = ClientTranscript()
        transcript.send(Self.asking)
        transcript.feed("HTTP/1.1 101 x\r\n\(fields)\r\n")
        #expect(transcript.events == [.fault(fault)])
        #expect(transcript.machine.isReusable == false)
    }

    @Test("A 101 that nothing asked for is malformed")
    func unasked() {
        var transcript = ClientTranscript()
        transcript.send(RequestText())
        transcript.feed(Self.agreement)
        #expect(transcript.events == [.fault(.statusLine)])
    }

    @Test("An upstream that will not change protocols answers as usual, and the wish is forgotten")
    func declined() {
        var transcript = ClientTranscript()
        transcript.send(Self.asking)
        transcript.feed("HTTP/1.1 426 x\r\ncontent-length: 0\r\n\r\n")
        #expect(transcript.machine.isReusable == true)
        transcript.send(RequestText())
        transcript.feed(Self.agreement)
        #expect(transcript.events.last == .fault(.statusLine))
    }
}
