import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ClientConnection: exchanges")
struct HTTP2ClientConnectionTests {
    @Test("The preface, SETTINGS without push and the connection's window go out first")
    func announcement() throws {
        let connection = try HTTP2ClientConnection(limits: HTTP2ClientLimits(), overTLS: true)
        let output = connection.output()
        #expect(output.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
        let frames = FrameReader().read(Array(output.dropFirst(24)))
        #expect(frames.map(\.type) == [0x4, 0x8])
        #expect(frames[0].payload == [0, 2, 0, 0, 0, 0] + [0, 4, 0, 4, 0, 0] + [0, 6, 0, 0, 0x80, 0])
        #expect(frames[1].value == (1 << 20) - 65_535)
    }

    @Test("A request without content is sent, and its answer without content completes it")
    func bare() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open("GET", "/orders?x", fields: [("accept", "*/*")]))
        let request = upstream.receive()
        #expect(request.count == 1)
        #expect(request[0].endsStream)
        #expect(
            request[0].fields
                == [":method: GET", ":scheme: https", ":authority: up.test", ":path: /orders?x", "accept: */*"])
        try upstream.send(Upstream.answer(stream, "404", [("x-one", "1")], end: true))
        #expect(upstream.connection.nextEvent() == .response(stream: stream, hasBody: false))
        let head = try #require(upstream.takeHead(of: stream))
        #expect(head.0 == .none)
        #expect(head.1 == ["404", "x-one: 1"])
        #expect(upstream.takeHead(of: stream) == nil)
        #expect(upstream.connection.nextEvent() == .completed(stream: stream))
        #expect(upstream.connection.nextEvent() == nil)
        #expect(upstream.connection.openStreams == 0)
    }

    @Test("Without TLS the resource is one of http")
    func plain() throws {
        let upstream = try Upstream(overTLS: false)
        _ = upstream.open()
        #expect(upstream.receive()[0].fields[1] == ":scheme: http")
    }

    @Test("Fields of a connection and of framing are ours to say")
    func fields() throws {
        let upstream = try Upstream()
        let dropped = [
            ("host", "a"), ("connection", "x"), ("keep-alive", "1"), ("proxy-connection", "x"), ("upgrade", "h2c"),
            ("transfer-encoding", "chunked"), ("te", "gzip"), ("content-length", "9"), ("expect", "100-continue"),
            ("http2-settings", "AAA"),
        ]
        _ = upstream.open(
            "POST", framing: .length(3), fields: dropped + [("x", "y")], acceptsTrailers: true, content: [1, 2, 3])
        let fields = upstream.receive()[0].fields
        #expect(fields.dropFirst(4) == ["content-length: 3", "te: trailers", "x: y"])
    }

    @Test("Methods that anticipate content say that there is none", arguments: ["POST", "PUT", "PATCH", "GET"])
    func noContent(_ method: String) throws {
        let upstream = try Upstream()
        _ = upstream.open(method)
        #expect(upstream.receive()[0].fields.dropFirst(4) == (method == "GET" ? [] : ["content-length: 0"]))
    }

    @Test("Content goes both ways, before and after the head was sent")
    func content() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open("POST", framing: .streamed, content: Array("one".utf8)))
        #expect(upstream.connection.pendingBody(on: stream) == 3)
        let first = upstream.receive()
        #expect(first.map(\.type) == [0x1, 0x0])
        #expect(first[1].payload == Array("one".utf8))
        upstream.connection.sendBody(Array("two".utf8).span, on: stream)
        upstream.connection.endBody(on: stream)
        let second = upstream.receive()
        #expect(second.map(\.payload) == [Array("two".utf8)])
        #expect(second[0].endsStream)

        try upstream.send(Upstream.answer(stream, "200", [("content-length", "5")]) + Frames.data(stream, [1, 2]))
        #expect(upstream.events() == [.response(stream: stream, hasBody: true), .body(stream: stream)])
        #expect(upstream.takeHead(of: stream)?.0 == .length(5))
        #expect(upstream.connection.body(of: stream) == [1, 2])
        #expect(!upstream.connection.isBodyComplete(of: stream))
        try upstream.send(Frames.data(stream, [3, 4, 5], end: true))
        #expect(upstream.events() == [.body(stream: stream), .endOfBody(stream: stream)])
        #expect(upstream.connection.openStreams == 1, "what was not taken is not lost")
        #expect(upstream.connection.body(of: stream, upTo: 2) == [3, 4])
        #expect(upstream.events() == [])
        #expect(upstream.connection.body(of: stream) == [5])
        #expect(upstream.connection.isBodyComplete(of: stream))
        #expect(upstream.events() == [.completed(stream: stream)])
        #expect(upstream.connection.openStreams == 0)
    }

    @Test("Trailers are there once the end of the content was told, until the end of the exchange")
    func trailers() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open(acceptsTrailers: true))
        _ = upstream.receive()
        try upstream.send(Upstream.answer(stream) + Frames.data(stream, [1]))
        #expect(upstream.connection.trailers(of: stream) == nil)
        try upstream.send(Frames.headers(stream, [("grpc-status", "0"), ("authorization", "x"), ("grpc-message", "")]))
        #expect(upstream.events().last == .endOfBody(stream: stream))
        #expect(upstream.connection.body(of: stream) == [1])
        #expect(upstream.connection.isBodyComplete(of: stream))
        #expect(upstream.connection.trailers(of: stream) == ["grpc-status: 0", "grpc-message: "])
        #expect(upstream.connection.trailers(of: stream) == nil)
        #expect(upstream.events() == [.completed(stream: stream)])
    }

    @Test("Trailers of a request go behind its content", arguments: [true, false])
    func sentTrailers(_ hasContent: Bool) throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open("POST", framing: .streamed, content: hasContent ? [1, 2] : []))
        upstream.connection.endBody(
            on: stream, trailers: table(of: [("X-Sum", "3"), ("connection", "x"), ("te", "y")]))
        let frames = upstream.receive()
        #expect(frames.map(\.type) == (hasContent ? [0x1, 0x0, 0x1] : [0x1, 0x1]))
        #expect(frames.map(\.endsStream) == (hasContent ? [false, false, true] : [false, true]))
        #expect(frames.last?.fields == ["x-sum: 3"])
        try upstream.send(Upstream.answer(stream, end: true))
        #expect(upstream.events().last == .completed(stream: stream))
    }

    @Test("Interim answers are swallowed")
    func interim() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open())
        _ = upstream.receive()
        try upstream.send(Upstream.answer(stream, "103", [("link", "</a>")]) + Upstream.answer(stream, "100"))
        #expect(upstream.events() == [])
        try upstream.send(Upstream.answer(stream, "200", end: true))
        #expect(upstream.events() == [.response(stream: stream, hasBody: false), .completed(stream: stream)])
    }

    @Test("An answer that came whole stands, whatever resets the rest of its request", arguments: [UInt32(0), 2, 8])
    func earlyAnswer(_ code: UInt32) throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open("POST", framing: .streamed, content: [1]))
        _ = upstream.receive()
        try upstream.send(Upstream.answer(stream, "413", end: true))
        #expect(upstream.events() == [.response(stream: stream, hasBody: false)])
        upstream.connection.sendBody([2].span, on: stream)
        try upstream.send(Frames.reset(stream, code: code))
        #expect(upstream.events() == [.completed(stream: stream)])
        upstream.connection.sendBody([3].span, on: stream)
        #expect(upstream.connection.openStreams == 0)
    }

    static let resets: [(UInt32, Bool, HTTP2ClientConnection.StreamFailure)] = [
        (0x7, false, .notProcessed), (0x7, true, .reset(.refusedStream)), (0x8, false, .reset(.cancel)),
        (0x0, false, .reset(.noError)), (0x0, true, .reset(.noError)), (0x99, false, .reset(.internalError)),
        (0xd, false, .reset(.http11Required)),
    ]

    @Test("A reset before the answer is whole fails the exchange", arguments: resets)
    func peerReset(_ code: UInt32, _ answered: Bool, _ failure: HTTP2ClientConnection.StreamFailure) throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open())
        _ = upstream.receive()
        if answered { try upstream.send(Upstream.answer(stream) + Frames.data(stream, [1])) }
        try upstream.send(Frames.reset(stream, code: code))
        #expect(upstream.events() == [.failed(stream: stream, failure)], "what came before is not told any more")
        #expect(upstream.connection.openStreams == 0)
        #expect(upstream.connection.bufferedBody(of: stream) == 0)
    }

    @Test("GOAWAY lets the streams it names finish, and those beyond it were not processed")
    func goAway() throws {
        let upstream = try Upstream()
        let first = try #require(upstream.open())
        let second = try #require(upstream.open())
        _ = upstream.receive()
        let third = try #require(upstream.open())
        try upstream.send(Frames.goAway(last: first))
        #expect(!upstream.connection.canOpen)
        #expect(upstream.open() == nil)
        _ = upstream.receive()
        let events = upstream.events()
        #expect(events.contains(.goAway))
        #expect(events.contains(.failed(stream: second, .notProcessed)))
        #expect(events.contains(.failed(stream: third, .notProcessed)))
        #expect(!upstream.connection.isFinished)
        try upstream.send(Upstream.answer(first, end: true))
        #expect(upstream.events() == [.response(stream: first, hasBody: false), .completed(stream: first)])
        #expect(upstream.connection.isFinished)
    }

    @Test("Streams are opened up to our limit and the upstream's")
    func concurrency() throws {
        for (limits, settings) in [
            (HTTP2ClientLimits(streams: 2), []), (HTTP2ClientLimits(), [(UInt16(3), UInt32(2))]),
        ] {
            let upstream = try Upstream(limits, settings: settings)
            let first = try #require(upstream.open())
            #expect(upstream.open() != nil)
            #expect(!upstream.connection.canOpen)
            #expect(upstream.open() == nil)
            _ = upstream.receive()
            try upstream.send(Upstream.answer(first, end: true))
            _ = upstream.events()
            #expect(upstream.connection.canOpen)
        }
    }

    @Test("CONNECT is never asked of an upstream")
    func connect() throws {
        let upstream = try Upstream()
        #expect(upstream.open("CONNECT") == nil)
        #expect(upstream.connection.openStreams == 0)
    }

    @Test("A stream that the driver resets is told of no more, sent or not", arguments: [true, false])
    func ownReset(_ isSent: Bool) throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open("POST", framing: .streamed, content: [1]))
        if isSent { _ = upstream.receive() }
        upstream.connection.reset(stream: stream, .cancel)
        let frames = upstream.receive()
        #expect(frames.map(\.type) == (isSent ? [0x3] : []))
        #expect(upstream.events() == [])
        #expect(upstream.connection.openStreams == 0)
    }

    @Test("A stream that the driver resets with its answer untaken is told of no more")
    func lateReset() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open())
        _ = upstream.receive()
        try upstream.send(Upstream.answer(stream) + Frames.data(stream, [1], end: true))
        upstream.connection.reset(stream: stream, .cancel)
        #expect(upstream.events() == [])
        #expect(upstream.connection.openStreams == 0)
        #expect(upstream.connection.canOpen)
    }

    @Test("A connection that drains finishes what is under way, and waits until it was taken")
    func drain() throws {
        let upstream = try Upstream()
        let stream = try #require(upstream.open())
        _ = upstream.receive()
        upstream.connection.drain()
        upstream.connection.drain()
        #expect(!upstream.connection.canOpen)
        #expect(upstream.receive().map(\.type) == [0x7])
        #expect(!upstream.connection.isFinished)
        try upstream.send(Upstream.answer(stream) + Frames.data(stream, [1], end: true))
        _ = upstream.receive()
        _ = upstream.events()
        #expect(!upstream.connection.isFinished)
        #expect(upstream.connection.body(of: stream) == [1])
        #expect(upstream.events() == [.completed(stream: stream)])
        #expect(upstream.connection.isFinished)
    }

    @Test("Content that falls short of its declared length, or goes beyond it, resets the stream", arguments: [1, 3])
    func declaredLength(_ count: Int) throws {
        let upstream = try Upstream()
        let content = [UInt8](repeating: 1, count: count)
        let stream = try #require(upstream.open("POST", framing: .length(2), content: content))
        upstream.connection.endBody(on: stream)
        let frames = upstream.receive()
        #expect(!frames.contains { $0.endsStream && $0.type != 0x3 })
        #expect(upstream.events() == [.failed(stream: stream, .notProcessed)])
    }
}
