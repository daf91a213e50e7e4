import Bytes
import HTTP
import HTTP2
import Testing

/// Our client and our server, wired to each other in memory.
final class Wire {
    let client: HTTP2ClientConnection
    let server: HTTP2ServerConnection
    private let now = MonotonicTime(nanoseconds: 0)

    init(client: HTTP2ClientLimits = HTTP2ClientLimits(), server: HTTP2Limits = HTTP2Limits()) throws {
        self.client = try HTTP2ClientConnection(limits: client, overTLS: true)
        self.server = try HTTP2ServerConnection(limits: server)
    }

    /// Carries bytes in pieces of `step` until neither side has any that may go.
    func carry(step: Int = 16_384) throws(HTTP2Error) {
        while client.wantsToSend || server.wantsToSend {
            let forth = Self.bytes(from: client, step)
            try server.receive(forth.span, now: now)
            let back = Self.bytes(from: server, step)
            try client.receive(back.span, now: now)
            if forth.isEmpty, back.isEmpty { return }
        }
    }

    private static func bytes(from connection: HTTP2Connection, _ step: Int) -> [UInt8] {
        var output = ByteQueue()
        connection.send(into: &output, upTo: step)
        return Array(copying: output.readable)
    }

    func clientEvents() -> [HTTP2ClientConnection.Event] {
        var events: [HTTP2ClientConnection.Event] = []
        while let event = client.nextEvent() { events.append(event) }
        return events
    }

    func serverEvents() -> [HTTP2ServerConnection.Event] {
        var events: [HTTP2ServerConnection.Event] = []
        while let event = server.nextEvent() { events.append(event) }
        return events
    }

    func open(_ method: String, framing: BodyFraming, fields: [(String, String)] = [], ends: Bool) -> Int32? {
        var head = RequestHead()
        head.method.append(utf8: method)
        head.authority.append("gate.test")
        head.target.append("/a")
        head.framing = framing
        head.acceptsTrailers = true
        head.fields = table(of: fields)
        return client.open(head, endStream: ends)
    }

    func answer(_ stream: Int32, status: UInt16 = 200, framing: BodyFraming, ends: Bool) {
        var head = ResponseHead()
        head.status = status
        head.framing = framing
        server.sendHead(head, on: stream, endStream: ends)
    }
}

@Suite("Client and server connections, back to back")
struct BackToBackTests {
    @Test(
        "Messages pass with content and trailers both ways, however the bytes are cut", arguments: [1, 7, 100, 16_384])
    func messages(_ step: Int) throws {
        let wire = try Wire()
        let stream = try #require(wire.open("POST", framing: .streamed, fields: [("x-a", "1")], ends: false))
        wire.client.sendBody(Array("question".utf8).span, on: stream)
        wire.client.endBody(on: stream, trailers: table(of: [("x-sum", "8")]))
        try wire.carry(step: step)
        #expect(
            wire.serverEvents()
                == [.request(stream: stream, hasBody: true), .body(stream: stream), .endOfBody(stream: stream)])
        var request = RequestHead()
        #expect(wire.server.takeHead(of: stream, into: &request))
        let head = Head(request)
        #expect(head.method == "POST")
        #expect(head.target == "/a")
        #expect(head.authority == "gate.test")
        #expect(head.acceptsTrailers)
        #expect(head.fields == ["te: trailers", "x-a: 1"])
        #expect(wire.server.body(of: stream) == Array("question".utf8))
        #expect(wire.server.trailers(of: stream) == ["x-sum: 8"])

        wire.answer(stream, framing: .length(6), ends: false)
        wire.server.sendBody(Array("answer".utf8).span, on: stream)
        wire.server.endBody(on: stream, trailers: table(of: [("grpc-status", "0")]))
        try wire.carry(step: step)
        #expect(wire.clientEvents().last == .endOfBody(stream: stream))
        #expect(wire.client.body(of: stream) == Array("answer".utf8))
        #expect(wire.client.trailers(of: stream) == ["grpc-status: 0"])
        #expect(wire.clientEvents() == [.completed(stream: stream)])
        #expect(wire.serverEvents() == [.completed(stream: stream)])
        #expect(wire.client.openStreams == 0)
        #expect(wire.server.openStreams == 0)
    }

    @Test("Ten megabytes pass each way on one stream at once, in bounded memory")
    func bulk() throws {
        let wire = try Wire()
        let stream = try #require(wire.open("POST", framing: .streamed, ends: false))
        try wire.carry()
        wire.answer(stream, framing: .streamed, ends: false)
        let piece = [UInt8](repeating: 7, count: 100_000)
        var toSend = (100, 100)
        var taken = (0, 0)
        var most = 0
        while taken.0 < 10_000_000 || taken.1 < 10_000_000 {
            if toSend.0 > 0, wire.client.pendingBody(on: stream) < 32 << 10 {
                wire.client.sendBody(piece.span, on: stream)
                toSend.0 -= 1
            }
            if toSend.1 > 0, wire.server.pendingBody(on: stream) < 32 << 10 {
                wire.server.sendBody(piece.span, on: stream)
                toSend.1 -= 1
            }
            try wire.carry()
            most = max(most, wire.client.bufferedBody(of: stream), wire.server.bufferedBody(of: stream))
            taken.0 += wire.server.body(of: stream).count
            taken.1 += wire.client.body(of: stream).count
        }
        #expect(taken == (10_000_000, 10_000_000))
        #expect(most <= 256 << 10)
        wire.client.endBody(on: stream)
        wire.server.endBody(on: stream)
        try wire.carry()
        #expect(wire.clientEvents().last == .completed(stream: stream))
    }

    @Test("Many exchanges one after the other and side by side all end; what was refused early is asked again")
    func many() throws {
        let wire = try Wire(server: HTTP2Limits(streams: 20))
        var completed = 0
        var opened = 0
        var refused = 0
        while completed < 2000 {
            while opened < 2000, wire.client.canOpen {
                _ = wire.open("GET", framing: .none, ends: true)
                opened += 1
            }
            try wire.carry()
            for case .request(let stream, _) in wire.serverEvents() {
                wire.answer(stream, framing: .none, ends: true)
            }
            try wire.carry()
            for event in wire.clientEvents() {
                switch event {
                case .completed: completed += 1
                case .failed(_, .notProcessed): refused += 1
                default: continue
                }
            }
            try #require(completed + refused == opened - wire.client.openStreams, "every stream ends once")
            opened -= refused
            if refused > 0 { #expect(completed <= 20, "only before the server's limit was known") }
            refused = 0
        }
        #expect(wire.client.openStreams == 0)
        #expect(wire.client.failure == nil)
        #expect(wire.server.failure == nil)
    }

    @Test("A server that drains finishes what it has begun, and the client is told of it first")
    func drain() throws {
        let wire = try Wire()
        let stream = try #require(wire.open("GET", framing: .none, ends: true))
        try wire.carry()
        wire.server.drain()
        try wire.carry()
        #expect(wire.clientEvents() == [.goAway])
        #expect(!wire.client.canOpen)
        wire.server.drain()
        try wire.carry()
        wire.answer(stream, framing: .none, ends: true)
        try wire.carry()
        #expect(wire.clientEvents().last == .completed(stream: stream))
        #expect(wire.client.isFinished)
        #expect(wire.server.isFinished)
    }

    @Test("A request that crosses the server's end was not processed")
    func crossing() throws {
        let wire = try Wire()
        try wire.carry()
        wire.server.drain()
        wire.server.drain()
        let stream = try #require(wire.open("GET", framing: .none, ends: true))
        try wire.carry()
        #expect(wire.clientEvents().contains(.failed(stream: stream, .notProcessed)))
    }

    @Test("A reset tells the other side", arguments: [true, false])
    func reset(_ byClient: Bool) throws {
        let wire = try Wire()
        let stream = try #require(wire.open("POST", framing: .streamed, ends: false))
        try wire.carry()
        _ = wire.serverEvents()
        if byClient {
            wire.client.reset(stream: stream, .cancel)
        } else {
            wire.server.reset(stream: stream, .enhanceYourCalm)
        }
        try wire.carry()
        #expect(wire.clientEvents() == (byClient ? [] : [.failed(stream: stream, .reset(.enhanceYourCalm))]))
        #expect(wire.serverEvents() == (byClient ? [.reset(stream: stream)] : []))
        #expect(wire.client.openStreams == 0)
        #expect(wire.server.openStreams == 0)
    }
}
