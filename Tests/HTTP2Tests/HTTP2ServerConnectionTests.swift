import Bytes
import HTTP
import HTTP2
import Testing

@Suite("HTTP2ServerConnection: exchanges")
struct HTTP2ServerConnectionTests {
    @Test("Our SETTINGS and the connection's window go out before anything comes in")
    func announcement() throws {
        let peer = try Peer(HTTP2Limits(streams: 7, head: HeadLimits(bytes: 4096, count: 10)), greets: false)
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x4, 0x8])
        #expect(
            frames[0].payload
                == [0, 3, 0, 0, 0, 7] + [0, 9, 0, 0, 0, 1] + [0, 4, 0, 4, 0, 0] + [0, 6, 0, 0, 0x10, 0])
        #expect(frames[1].value == (1 << 20) - 65_535)
    }

    @Test("A request without content is answered without content")
    func bare() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "GET", "/orders/7?full", [("accept", "*/*"), ("x-one", "1")]))
        #expect(peer.events() == [.request(stream: 1, hasBody: false)])
        let head = try #require(peer.takeHead(of: 1))
        #expect(head.method == "GET")
        #expect(head.authority == "gate.test")
        #expect(head.target == "/orders/7?full")
        #expect(head.framing == .none)
        #expect(head.fields == ["accept: */*", "x-one: 1"])
        #expect(peer.takeHead(of: 1) == nil)

        peer.answer(1, status: 404, fields: [("X-Request-Id", "abc"), ("connection", "close")])
        let frames = peer.receive()
        #expect(frames.count == 1)
        #expect(frames[0].fields == [":status: 404", "content-length: 0", "x-request-id: abc"])
        #expect(frames[0].endsStream)
        #expect(peer.events() == [.completed(stream: 1)])
        #expect(peer.connection.openStreams == 0)
    }

    @Test("Content goes both ways")
    func content() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", "/", [("content-length", "10")], end: false))
        try peer.send(Frames.data(1, Array("hello".utf8)))
        #expect(peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1)])
        #expect(peer.takeHead(of: 1)?.framing == .length(10))
        #expect(peer.connection.bufferedBody(of: 1) == 5)
        #expect(peer.takeBody(of: 1, upTo: 2) == Array("he".utf8))
        try peer.send(Frames.data(1, Array("world".utf8), end: true, padding: 3))
        #expect(peer.events() == [.endOfBody(stream: 1)])
        #expect(!peer.connection.isBodyComplete(of: 1))
        #expect(peer.takeBody(of: 1) == Array("lloworld".utf8))
        #expect(peer.connection.isBodyComplete(of: 1))

        peer.answer(1, framing: .length(3), content: Array("yes".utf8))
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x1, 0x0])
        #expect(frames[0].fields == [":status: 200", "content-length: 3"])
        #expect(frames[1].payload == Array("yes".utf8))
        #expect(frames[1].endsStream)
        #expect(peer.events() == [.completed(stream: 1)])
    }

    @Test("Content without a declared length is streamed, and an answer may begin before it ends")
    func streamed() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false))
        #expect(peer.takeHead(of: 1)?.framing == .streamed)
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        #expect(peer.receive().map(\.type) == [0x1])
        #expect(!peer.connection.wantsToSend)

        for text in ["one", "two"] {
            try peer.send(Frames.data(1, Array(text.utf8)))
            peer.connection.sendBody(peer.takeBody(of: 1).span, on: 1)
            let frames = peer.receive()
            #expect(frames.map(\.payload) == [Array(text.utf8)])
            #expect(!frames[0].endsStream)
        }
        try peer.send(Frames.data(1, [], end: true))
        peer.connection.endBody(on: 1)
        let last = peer.receive()
        #expect(last.map(\.payload) == [[]])
        #expect(last[0].endsStream)
        #expect(
            peer.events() == [
                .request(stream: 1, hasBody: true), .body(stream: 1), .body(stream: 1), .endOfBody(stream: 1),
                .completed(stream: 1),
            ])
    }

    @Test("An answer to HEAD ends with its head and keeps the length that GET would have")
    func head() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "HEAD"))
        peer.answer(1, fields: [("content-length", "500")], content: [1, 2, 3])
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x1])
        #expect(frames[0].fields == [":status: 200", "content-length: 500"])
        #expect(frames[0].endsStream)
    }

    static let withoutContent: [(UInt16, [String])] = [(204, []), (304, ["content-length: 9"])]

    @Test("Answers that have no content end with their head", arguments: withoutContent)
    func noContent(_ status: UInt16, _ length: [String]) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        peer.answer(1, status: status, fields: [("content-length", "9")], content: [1])
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x1])
        #expect(frames[0].fields == [":status: \(status)"] + length)
        #expect(frames[0].endsStream)
    }

    @Test("Interim answers come before the final one")
    func interim() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", "/", [("expect", "100-continue")], end: false))
        #expect(peer.takeHead(of: 1)?.expectsContinue == true)
        peer.answer(1, status: 100)
        peer.answer(1, status: 101)
        peer.answer(1, status: 103, fields: [("link", "</a>")])
        try peer.send(Frames.data(1, [1], end: true))
        peer.answer(1)
        let frames = peer.receive()
        #expect(
            frames.map(\.fields) == [
                [":status: 100"], [":status: 103", "link: </a>"], [":status: 200", "content-length: 0"],
            ])
        #expect(frames.map(\.endsStream) == [false, false, true])
    }

    @Test("Fields of a connection never go out, and a length only where the framing has one")
    func hopByHop() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        let fields = [
            ("Connection", "x"), ("Keep-Alive", "1"), ("Proxy-Connection", "x"), ("Transfer-Encoding", "chunked"),
            ("Upgrade", "x"), ("Content-Length", "1"), ("Content-Type", "text/plain"),
        ]
        peer.answer(1, framing: .streamed, fields: fields, content: [1])
        #expect(peer.receive()[0].fields == [":status: 200", "content-type: text/plain"])
    }

    @Test("An answer that breaks its declared length is reset", arguments: [2, 4])
    func brokenLength(_ count: Int) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        peer.answer(1, framing: .length(3), content: [UInt8](repeating: 1, count: count))
        let last = try #require(peer.receive().last)
        #expect(last.type == 0x3)
        #expect(last.code == HTTP2ErrorCode.internalError.rawValue)
        #expect(peer.events().last == .reset(stream: 1))
    }

    @Test("An answer that ends before the request tells the client to stop, without blame")
    func earlyAnswer() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [1, 2, 3]))
        peer.answer(1, status: 403, framing: .length(2), content: [4, 5])
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x1, 0x0, 0x3])
        #expect(frames[1].endsStream)
        #expect(frames[2].code == HTTP2ErrorCode.noError.rawValue)
        try peer.send(Frames.data(1, [6]))
        #expect(peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1), .completed(stream: 1)])
        #expect(peer.connection.openStreams == 0)
    }

    @Test("A stream that the driver resets is heard of no more")
    func ownReset() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false))
        _ = peer.events()
        peer.connection.reset(stream: 1, .refusedStream)
        try peer.send(Frames.data(1, [1], end: true))
        peer.answer(1)
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x3])
        #expect(frames[0].code == HTTP2ErrorCode.refusedStream.rawValue)
        #expect(peer.events().isEmpty)
        #expect(peer.connection.openStreams == 0)
    }

    @Test("A stream that the client resets is forgotten")
    func peerReset() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [1]) + Frames.reset(1))
        #expect(
            peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1), .reset(stream: 1)])
        #expect(peer.takeHead(of: 1) == nil)
        #expect(peer.takeBody(of: 1).isEmpty)
        #expect(!peer.connection.canAnswer(1))
        peer.answer(1)
        #expect(peer.receive().isEmpty)
    }

    @Test("A hundred streams run at once and finish in any order")
    func concurrent() throws {
        let peer = try Peer()
        let ids = (0..<100).map { Int32($0 * 2 + 1) }
        try peer.send(ids.flatMap { Frames.request($0, "POST", "/\($0)", end: false) })
        try peer.send(ids.reversed().flatMap { Frames.data($0, Array("body \($0)".utf8), end: true) })
        #expect(peer.connection.openStreams == 100)
        for id in ids.shuffled() {
            #expect(peer.takeHead(of: id)?.target == "/\(id)")
            let body = peer.takeBody(of: id)
            #expect(body == Array("body \(id)".utf8))
            peer.answer(id, framing: .length(UInt64(body.count)), content: body)
        }
        let frames = peer.receive()
        for id in ids {
            let content = frames.filter { $0.stream == id && $0.type == 0x0 }.flatMap(\.payload)
            #expect(content == Array("body \(id)".utf8))
        }
        #expect(peer.connection.openStreams == 0)
        #expect(peer.events().filter { if case .completed = $0 { true } else { false } }.count == 100)
    }

    @Test("Slots are used again without a trace of what they held")
    func reuse() throws {
        let peer = try Peer()
        for round in 0..<300 {
            let id = Int32(round * 2 + 1)
            try peer.send(Frames.request(id, "POST", "/\(round)", [("x-\(round)", "v")], end: false))
            try peer.send(Frames.data(id, [UInt8](repeating: 7, count: round), end: true))
            let head = try #require(peer.takeHead(of: id))
            #expect(head.target == "/\(round)")
            #expect(head.fields == ["x-\(round): v"])
            #expect(peer.takeBody(of: id).count == round)
            peer.answer(id)
            #expect(peer.receive().filter { $0.type == 0x1 }.count == 1)
            if round % 50 == 0 { peer.connection.releaseMemory() }
        }
        #expect(peer.connection.openStreams == 0)
    }

    @Test("A big head comes in and goes out over several frames")
    func bigHead() throws {
        let peer = try Peer()
        let value = String(repeating: "v", count: 20_000)
        let block = Frames.block(Frames.head() + [("x-big", value)])
        let pieces = [Array(block[..<9000]), Array(block[9000..<16_000]), Array(block[16_000...])]
        try peer.send(Frames.raw(0x1, flags: 0x1, stream: 1, pieces[0]))
        try peer.send(Frames.continuation(1, pieces[1], end: false) + Frames.continuation(1, pieces[2], end: true))
        #expect(peer.events() == [.request(stream: 1, hasBody: false)])
        #expect(peer.takeHead(of: 1)?.fields == ["x-big: \(value)"])
        peer.answer(1, fields: [("x-big", String(repeating: "~", count: 30_000))])
        let frames = peer.receive()
        #expect(frames.count == 1)
        #expect(frames[0].fields.last == "x-big: " + String(repeating: "~", count: 30_000))
    }

    @Test("An answer's head that is too big to be encoded resets the stream")
    func hugeAnswer() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        peer.answer(1, fields: [("x-big", String(repeating: "~", count: 70_000))])
        let frames = peer.receive()
        #expect(frames.map(\.type) == [0x3])
        #expect(peer.events().last == .reset(stream: 1))
    }

    @Test("Cookie crumbs are joined, and stay one line")
    func cookies() throws {
        let peer = try Peer()
        try peer.send(
            Frames.request(1, "GET", "/", [("cookie", "a=1"), ("accept", "x"), ("cookie", "b=2"), ("cookie", "c")]))
        #expect(peer.takeHead(of: 1)?.fields == ["accept: x", "cookie: a=1; b=2; c"])
        try peer.send(Frames.request(3, "GET", "/", [("cookie", "a=1")]))
        #expect(peer.takeHead(of: 3)?.fields == ["cookie: a=1"])
    }

    @Test("Trailers end the content and are there to be taken, without those that mean nothing there")
    func trailers() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", end: false) + Frames.data(1, [1]))
        #expect(peer.connection.trailers(of: 1) == nil)
        try peer.send(Frames.headers(1, [("x-checksum", "1"), ("authorization", "x"), ("x-two", "")]))
        #expect(
            peer.events() == [.request(stream: 1, hasBody: true), .body(stream: 1), .endOfBody(stream: 1)])
        #expect(peer.takeHead(of: 1)?.fields == [])
        #expect(peer.connection.trailers(of: 1) == ["x-checksum: 1", "x-two: "])
        #expect(peer.connection.trailers(of: 1) == nil)
    }

    @Test("Trailers of an answer go behind its content, those of a connection left out", arguments: [true, false])
    func answerTrailers(_ hasContent: Bool) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        var head = ResponseHead()
        head.status = 200
        head.framing = .streamed
        peer.connection.sendHead(head, on: 1, endStream: false)
        if hasContent { peer.connection.sendBody([1, 2].span, on: 1) }
        peer.connection.endBody(
            on: 1, trailers: table(of: [("grpc-status", "0"), ("connection", "x"), ("content-length", "2")]))
        let frames = peer.receive()
        #expect(frames.map(\.type) == (hasContent ? [0x1, 0x0, 0x1] : [0x1, 0x1]))
        #expect(frames.map(\.endsStream) == (hasContent ? [false, false, true] : [false, true]))
        #expect(frames.last?.fields == ["grpc-status: 0"])
        #expect(peer.events().last == .completed(stream: 1))
    }

    @Test("Trailers wait for the content before them, however slowly that goes")
    func slowTrailers() throws {
        let peer = try Peer(settings: [(4, 10)])
        try peer.send(Frames.request(1))
        var head = ResponseHead()
        head.status = 200
        head.framing = .length(25)
        peer.connection.sendHead(head, on: 1, endStream: false)
        peer.connection.sendBody([UInt8](repeating: 7, count: 25).span, on: 1)
        peer.connection.endBody(on: 1, trailers: table(of: [("a", "b")]))
        #expect(peer.receive().map(\.type) == [0x1, 0x0])
        try peer.send(Frames.windowUpdate(1, 10))
        #expect(peer.receive().map(\.payload.count) == [10])
        try peer.send(Frames.windowUpdate(1, 10))
        let last = peer.receive()
        #expect(last.map(\.type) == [0x0, 0x1])
        #expect(last.map(\.endsStream) == [false, true])
    }

    @Test("Trailers of which none may go are none, and short content has none", arguments: [true, false])
    func noTrailers(_ isWhole: Bool) throws {
        let peer = try Peer()
        try peer.send(Frames.request(1))
        var head = ResponseHead()
        head.status = 200
        head.framing = .length(2)
        peer.connection.sendHead(head, on: 1, endStream: false)
        peer.connection.sendBody((isWhole ? [1, 2] : [1]).span, on: 1)
        peer.connection.endBody(on: 1, trailers: table(of: [(isWhole ? "upgrade" : "a", "x")]))
        let frames = peer.receive()
        #expect(frames.map(\.type) == (isWhole ? [0x1, 0x0] : [0x1, 0x3]) || frames.map(\.type) == [0x3])
        #expect(frames.contains { $0.type == 0x0 && $0.endsStream } == isWhole)
    }

    @Test("A declared length of zero is no content")
    func zeroLength() throws {
        let peer = try Peer()
        try peer.send(Frames.request(1, "POST", "/", [("content-length", "0")], end: false))
        #expect(peer.events() == [.request(stream: 1, hasBody: false)])
        #expect(peer.takeHead(of: 1)?.framing == BodyFraming.none)
        try peer.send(Frames.data(1, [], end: true))
        #expect(peer.events().isEmpty)
    }

    @Test("Bytes fed one at a time mean the same")
    func byteByByte() throws {
        let block = Frames.block(Frames.head("POST", "/x") + [("cookie", "a"), ("cookie", "b")])
        let conversation =
            Frames.preface + Frames.settingsAcknowledgement + Frames.raw(0x1, stream: 1, Array(block[..<20]))
            + Frames.continuation(1, [], end: false) + Frames.continuation(1, Array(block[20..<30]), end: false)
            + Frames.continuation(1, Array(block[30...]), end: true) + Frames.data(1, Array("abc".utf8), padding: 2)
            + Frames.ping + Frames.request(3, "CONNECT") + Frames.request(5, "G\u{1}T")
            + Frames.data(1, Array("def".utf8), end: true) + Frames.request(7, "GET", "/", [("x y", "1")])
            + Frames.request(9, "POST", end: false) + Frames.reset(9) + Frames.goAway()
        let whole = try Peer(greets: false)
        try whole.send(conversation)
        let slow = try Peer(greets: false)
        for byte in conversation { try slow.send([byte]) }
        let events = whole.events()
        #expect(slow.events() == events)
        #expect(events.count == 9)
        #expect(whole.takeHead(of: 1) == slow.takeHead(of: 1))
        #expect(whole.takeBody(of: 1) == Array("abcdef".utf8))
        #expect(slow.takeBody(of: 1) == Array("abcdef".utf8))
        #expect(slow.receive(step: 1) == whole.receive())
    }

    @Test("Output comes in the pieces that were asked for")
    func outputInPieces() throws {
        let peer = try Peer(settings: [(4, 1 << 20)])
        try peer.send(Frames.windowUpdate(0, 1 << 20) + Frames.request(1))
        peer.answer(1, framing: .length(100_000), content: [UInt8](repeating: 3, count: 100_000))
        var output = ByteQueue()
        var calls = 0
        while peer.connection.wantsToSend {
            let before = output.count
            peer.connection.send(into: &output, upTo: 10_000)
            calls += 1
            #expect(output.count - before < 10_000 + 16_384 + 9)
        }
        #expect(calls >= 6)
        #expect(output.count > 100_000)
    }
}
