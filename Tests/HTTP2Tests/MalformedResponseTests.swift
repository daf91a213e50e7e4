import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ClientConnection: what is malformed")
struct MalformedResponseTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var name: String
        var method = "GET"
        /// Frames on stream 1.
        var frames: [UInt8]
        /// The fault; nothing: the answer is taken.
        var fault: MessageFault?

        var testDescription: String { name }
    }

    private static func head(
        _ name: String, _ fields: [(String, String)], _ fault: MessageFault?, end: Bool = true, method: String = "GET",
        then more: [UInt8] = []
    ) -> Case {
        Case(name: name, method: method, frames: Frames.headers(1, fields, end: end) + more, fault: fault)
    }

    private static func ok(
        _ name: String, _ fields: [(String, String)], _ fault: MessageFault?, end: Bool = true, method: String = "GET",
        then more: [UInt8] = []
    ) -> Case {
        head(name, [(":status", "200")] + fields, fault, end: end, method: method, then: more)
    }

    static let heads: [Case] = [
        ok("a status only", [], nil),
        head("no status", [("x", "y")], .pseudoField),
        head("two statuses", [(":status", "200"), (":status", "200")], .fieldLine),
        head("a status of two digits", [(":status", "20")], .fieldLine),
        head("a status over 599", [(":status", "600")], .statusLine),
        head("a status that switches", [(":status", "101")], .fieldLine),
        head("a status behind a field", [("x", "y"), (":status", "200")], .fieldLine),
        ok("a pseudo-field of requests", [(":path", "/")], .fieldLine),
        ok("an unknown pseudo-field", [(":x", "/")], .fieldLine),
        ok("connection", [("connection", "close")], .fieldLine),
        ok("keep-alive", [("keep-alive", "1")], .fieldLine),
        ok("proxy-connection", [("proxy-connection", "x")], .fieldLine),
        ok("upgrade", [("upgrade", "h2c")], .fieldLine),
        ok("transfer-encoding", [("transfer-encoding", "chunked")], .fieldLine),
        ok("te", [("te", "trailers")], .fieldName),
        ok("host", [("host", "a")], .fieldName),
        ok("upper case", [("X-One", "1")], .fieldLine),
        ok("a space in a name", [("x one", "1")], .fieldName),
        ok("an empty name", [("", "1")], .fieldName),
        ok("a line break in a value", [("x", "a\nb")], .fieldValue),
        ok("a null in a value", [("x", "a\0b")], .fieldValue),
        ok("a length of nothing, and nothing", [("content-length", "0")], nil),
        ok("a length, and nothing", [("content-length", "1")], .contentLength),
        ok("a length that is none", [("content-length", "+1")], .fieldLine, end: false),
        ok("two lengths", [("content-length", "1"), ("content-length", "1")], .fieldLine, end: false),
        ok("a length over 63 bits", [("content-length", "9223372036854775808")], .fieldLine, end: false),
        ok("a length to HEAD", [("content-length", "10")], nil, method: "HEAD"),
        head("a length in a 304", [(":status", "304"), ("content-length", "10")], nil),
        head("a length in a 204", [(":status", "204"), ("content-length", "1")], .fieldLine),
        head("a length of nothing in a 204", [(":status", "204"), ("content-length", "0")], nil),
        head("an interim answer that ends", [(":status", "100")], .framing),
    ]

    static let contents: [Case] = [
        ok("content as declared", [("content-length", "2")], nil, end: false, then: Frames.data(1, [1, 2], end: true)),
        ok("less", [("content-length", "2")], .contentLength, end: false, then: Frames.data(1, [1], end: true)),
        ok("more", [("content-length", "2")], .contentLength, end: false, then: Frames.data(1, [1, 2, 3], end: true)),
        ok("content to HEAD", [], .framing, end: false, method: "HEAD", then: Frames.data(1, [1], end: true)),
        ok("none to HEAD", [], nil, end: false, method: "HEAD", then: Frames.data(1, [], end: true)),
        head("content in a 304", [(":status", "304")], .framing, end: false, then: Frames.data(1, [1], end: true)),
        head("content in a 204", [(":status", "204")], .framing, end: false, then: Frames.data(1, [1], end: true)),
        head(
            "content behind an interim answer", [(":status", "103")], .framing, end: false,
            then: Frames.data(1, [1], end: true)),
        ok("trailers", [], nil, end: false, then: Frames.headers(1, [("x-sum", "1")])),
        ok("trailers that do not end", [], .trailer, end: false, then: Frames.headers(1, [("x-sum", "1")], end: false)),
        ok("a status in trailers", [], .trailer, end: false, then: Frames.headers(1, [(":status", "200")])),
        ok("upper case in trailers", [], .trailer, end: false, then: Frames.headers(1, [("X-Sum", "1")])),
        ok("a length in trailers", [], .trailer, end: false, then: Frames.headers(1, [("content-length", "1")])),
        ok(
            "trailers before the declared length", [("content-length", "2")], .trailer, end: false,
            then: Frames.data(1, [1]) + Frames.headers(1, [("x-sum", "1")])),
    ]

    @Test("An answer is taken, or its exchange fails and the connection goes on", arguments: heads + contents)
    func answer(_ test: Case) throws {
        let upstream = try Upstream()
        #expect(upstream.open(test.method) == 1)
        _ = upstream.receive()
        try upstream.send(test.frames)
        let frames = upstream.receive()
        _ = upstream.connection.body(of: 1)
        let events = upstream.events()
        if let fault = test.fault {
            #expect(events == [.failed(stream: 1, .malformed(fault))])
            #expect(frames.map(\.type) == [0x3])
        } else {
            #expect(events.last == .completed(stream: 1))
            #expect(frames.isEmpty)
        }
        #expect(upstream.connection.openStreams == 0)
        let next = try #require(upstream.open())
        _ = upstream.receive()
        try upstream.send(Upstream.answer(next, end: true))
        #expect(upstream.events().last == .completed(stream: next))
        #expect(upstream.connection.failure == nil)
    }

    @Test("The bytes and lines of a head are bounded", arguments: [(0, true), (1, false)])
    func largeHead(_ more: Int, _ isAccepted: Bool) throws {
        let upstream = try Upstream(HTTP2ClientLimits(head: HeadLimits(bytes: 200, count: 2)))
        _ = upstream.open()
        _ = upstream.receive()
        // 42 bytes for the status, 33 for a name of one byte.
        try upstream.send(
            Upstream.answer(1, "200", [("x", String(repeating: "v", count: 125 + more))], end: true))
        let failed = HTTP2ClientConnection.Event.failed(stream: 1, .malformed(.fieldsTooLarge))
        #expect(upstream.events().last == (isAccepted ? .completed(stream: 1) : failed))
        _ = upstream.open()
        _ = upstream.receive()
        let lines = (0..<2 + more).map { ("x\($0)", "y") }
        try upstream.send(Upstream.answer(3, "200", lines, end: true))
        let tooMany = HTTP2ClientConnection.Event.failed(stream: 3, .malformed(.tooManyFields))
        #expect(upstream.events().last == (isAccepted ? .completed(stream: 3) : tooMany))
    }

    @Test("All interim answers together are bounded like one head")
    func interimFlood() throws {
        let upstream = try Upstream()
        _ = upstream.open()
        _ = upstream.receive()
        var sent = 0
        while upstream.events().isEmpty, sent < 10_000 {
            try upstream.send(Upstream.answer(1, "103", [("link", "</a>; rel=preload")]))
            sent += 1
        }
        #expect(upstream.receive().map(\.type) == [0x3])
        #expect(sent < 400)
        #expect(upstream.connection.openStreams == 0)
    }

    static let connectionErrors: [(String, [UInt8], HTTP2ErrorCode)] = [
        ("a push", Frames.raw(0x5, flags: 0x4, stream: 1, [0, 0, 0, 2] + Frames.block(Frames.head())), .protocolError),
        ("a head on a stream never opened", Upstream.answer(5, end: true), .protocolError),
        ("a head on a stream of its own", Upstream.answer(2, end: true), .protocolError),
        ("content on a stream never opened", Frames.data(5, [1]), .protocolError),
        ("content before the head", Frames.data(1, [1]), .protocolError),
        ("content on no stream", Frames.data(0, [1]), .protocolError),
        ("a lone CONTINUATION", Frames.continuation(1, [], end: true), .protocolError),
        ("a block interrupted", Frames.raw(0x1, stream: 1, []) + Frames.ping, .protocolError),
        ("a frame over the size", Frames.raw(0x0, stream: 1, [UInt8](repeating: 0, count: 16_385)), .frameSizeError),
        ("SETTINGS that enable push", Frames.settings([(2, 1)]), .protocolError),
        ("a window over 31 bits", Frames.windowUpdate(0, 0x7fff_ffff), .flowControlError),
        (
            "a malformed block", Frames.raw(0x1, flags: 0x5, stream: 1, [0xff, 0xff, 0xff, 0xff, 0xff]),
            .compressionError
        ),
        ("a reset of a stream never opened", Frames.reset(9), .protocolError),
    ]

    @Test("An error of the framing ends the connection with its code", arguments: connectionErrors)
    func endsConnection(_ name: String, _ bytes: [UInt8], _ code: HTTP2ErrorCode) throws {
        let upstream = try Upstream()
        _ = upstream.open()
        _ = upstream.receive()
        try upstream.send(bytes)
        let last = try #require(upstream.receive().last)
        #expect(last.type == 0x7)
        #expect(last.code == code.rawValue)
        #expect(upstream.connection.isFinished)
        #expect(!upstream.connection.canOpen)
    }

    @Test(
        "What does not begin with SETTINGS is no HTTP/2", arguments: ["HTTP/1.1 400 Bad Request\r\n\r\n", "\0\0\0\0\0"])
    func notHTTP2(_ text: String) throws {
        let upstream = try Upstream(greets: false)
        _ = upstream.receive()
        let isRefused: Bool
        do throws(HTTP2Error) {
            try upstream.send(Array(text.utf8) + Frames.ping)
            _ = upstream.receive()
            isRefused = upstream.connection.isFinished
        } catch {
            isRefused = true
        }
        #expect(isRefused)
        #expect(upstream.events() == [])
    }

    static let floods: [(String, [UInt8], HTTP2Abuse)] = [
        ("PING", Frames.ping, .controlFrames),
        ("SETTINGS", Frames.settings([]), .controlFrames),
        ("WINDOW_UPDATE", Frames.windowUpdate(0, 1), .controlFrames),
        ("GOAWAY", Frames.goAway(last: 1), .controlFrames),
        ("ALTSVC", Frames.raw(0xa, stream: 0, [0, 0]), .controlFrames),
        ("empty DATA", Frames.data(1, []), .emptyFrames),
        ("RST_STREAM of closed streams", Frames.reset(3), .controlFrames),
    ]

    @Test("A flood of an upstream's ends its connection", arguments: floods)
    func flood(_ name: String, _ frame: [UInt8], _ abuse: HTTP2Abuse) throws {
        let upstream = try Upstream()
        _ = upstream.open()
        _ = upstream.open()
        _ = upstream.receive()
        try upstream.send(Upstream.answer(1) + Frames.reset(3))
        let error = #expect(throws: HTTP2Error.self) {
            for _ in 0..<10_000 {
                try upstream.send(frame)
                _ = upstream.receive()
                _ = upstream.events()
            }
        }
        #expect(error == .abuse(abuse))
        #expect(!upstream.connection.canOpen)
        #expect(upstream.receive().last?.type == 0x7)
        #expect(upstream.connection.isFinished)
    }

    @Test("An upstream that refuses stream after stream is heard each time")
    func refusals() throws {
        let upstream = try Upstream()
        for _ in 0..<3000 {
            let stream = try #require(upstream.open())
            _ = upstream.receive()
            try upstream.send(Frames.reset(stream, code: 0x7))
            #expect(upstream.events() == [.failed(stream: stream, .notProcessed)])
        }
        #expect(upstream.connection.failure == nil)
    }

    @Test("Limits that contradict each other are refused")
    func inconsistent() {
        let bad = [
            HTTP2ClientLimits(streams: 0), HTTP2ClientLimits(streamWindow: 1 << 21),
            HTTP2ClientLimits(connectionWindow: 65_534), HTTP2ClientLimits(head: HeadLimits(bytes: 0, count: 1)),
        ]
        for limits in bad {
            #expect(throws: HTTP2Error.invalidLimits) { _ = try HTTP2ClientConnection(limits: limits, overTLS: true) }
        }
    }
}
