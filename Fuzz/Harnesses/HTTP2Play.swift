import Bytes
import HTTP
import HTTP2

/// A driver that does with a machine what it may, frame by frame of its peer's, and holds it to what it promises.
struct HTTP2Play {
    private let plan: HTTP2Plan
    /// Streams that were told of and are not over.
    private var open: Set<Int32> = []
    private var over: Set<Int32> = []

    init(_ plan: HTTP2Plan) {
        self.plan = plan
    }

    /// Feeds the frames, and acts on every event.
    mutating func run(_ frames: [UInt8]) throws(Violation) {
        if plan.isServer {
            let (server, opening) = try plan.makeServer()
            for piece in pieces(opening + frames) where feed(server, piece) {
                while let event = server.nextEvent() { try act(event, server) }
                try read(server)
                while let event = server.nextEvent() { try act(event, server) }
            }
        } else {
            let (client, opening) = try plan.makeClient()
            open = [1, 3, 5, 7]
            for piece in pieces(opening + frames) where feed(client, piece) {
                while let event = client.nextEvent() { try act(event, client) }
                try read(client)
                while let event = client.nextEvent() { try act(event, client) }
            }
        }
    }

    private func pieces(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        stride(from: 0, to: bytes.count, by: 100).map { bytes[$0..<min(bytes.count, $0 + 100)] }
    }

    private func feed(_ machine: HTTP2Connection, _ bytes: ArraySlice<UInt8>) -> Bool {
        (try? machine.receive(Array(bytes).span, now: MonotonicTime(nanoseconds: 0))) != nil
    }

    private mutating func act(_ event: HTTP2ServerConnection.Event, _ server: HTTP2ServerConnection) throws(Violation) {
        switch event {
        case .request(let stream, let hasBody):
            try demand(open.insert(stream).inserted && !over.contains(stream), "a stream makes one request")
            if !hasBody || stream % 4 == 1 { answer(stream, 200, server) }
        case .refused(let stream, _):
            try demand(!over.contains(stream), "a stream that is over is not refused")
            open.insert(stream)
            if server.canAnswer(stream) { answer(stream, 400, server) } else { server.reset(stream: stream, .cancel) }
            if server.bufferedBody(of: stream) > 0 { throw Violation(property: "what is refused holds no content") }
        case .body(let stream):
            try demand(open.contains(stream), "content is of a stream that was told of")
            take(stream, server)
        case .endOfBody(let stream):
            try demand(open.contains(stream), "an end of content is of a stream that was told of")
            take(stream, server)
            if server.canAnswer(stream) { answer(stream, 200, server) }
        case .writable(let stream): try demand(open.contains(stream), "room is on a stream that was told of")
        case .completed(let stream), .reset(let stream): try end(stream)
        case .goAway: break
        }
    }

    private mutating func act(_ event: HTTP2ClientConnection.Event, _ client: HTTP2ClientConnection) throws(Violation) {
        switch event {
        case .response(let stream, _), .endOfBody(let stream), .writable(let stream):
            try demand(open.contains(stream), "what is told is of a stream that is open")
        case .body(let stream):
            try demand(open.contains(stream), "content is of a stream that is open")
            if stream % 4 == 1 { take(stream, client) } else { client.endBody(on: stream) }
        case .completed(let stream):
            try demand(client.bufferedBody(of: stream) == 0, "an exchange is complete when its content was taken")
            try end(stream)
        case .failed(let stream, _): try end(stream)
        case .goAway: break
        }
    }

    private mutating func end(_ stream: Int32) throws(Violation) {
        try demand(open.remove(stream) != nil, "a stream ends once, and was told of before")
        over.insert(stream)
    }

    private func take(_ stream: Int32, _ machine: HTTP2Connection) {
        var content = ByteQueue()
        _ = machine.takeBody(of: stream, into: &content, upTo: 300)
        var trailers = FieldTable()
        _ = machine.takeTrailers(of: stream, into: &trailers)
    }

    private func answer(_ stream: Int32, _ status: UInt16, _ server: HTTP2ServerConnection) {
        var head = ResponseHead()
        head.status = status
        head.framing = .streamed
        server.sendHead(head, on: stream, endStream: false)
        server.sendBody([UInt8](repeating: 2, count: 400).span, on: stream)
        var trailers = FieldTable()
        trailers.append(literal: "x-sum", value: [0x31].span)
        server.endBody(on: stream, trailers: trailers)
    }

    /// Reads what the machine sends: whole frames of lawful size.
    private func read(_ machine: HTTP2Connection) throws(Violation) {
        var output = ByteQueue()
        var rounds = 0
        while machine.wantsToSend, rounds < 1000 {
            machine.send(into: &output, upTo: 700)
            rounds += 1
        }
        try demand(rounds < 1000, "output comes to an end")
        var rest = Array(copying: output.readable)[...]
        if !plan.isServer, rest.starts(with: Array("PRI".utf8)) { rest = rest.dropFirst(24) }
        while !rest.isEmpty {
            try demand(rest.count >= 9, "what is sent ends with a frame")
            let length = rest.prefix(3).reduce(0) { $0 << 8 | Int($1) }
            try demand(length <= 16_384 && rest.count >= 9 + length, "frames are whole and of lawful size")
            rest = rest.dropFirst(9 + length)
        }
    }

    private func demand(_ holds: Bool, _ property: String) throws(Violation) {
        guard holds else { throw Violation(property: property) }
    }
}
