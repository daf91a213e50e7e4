import Bytes
import HTTP
import HTTP2

/// What a machine made of frames that it was fed while nobody acted on them.
struct HTTP2Recording: Equatable {
    /// Where the bytes are cut into pieces.
    enum Cut {
        case nowhere, somewhere, everywhere
    }

    /// A request head as text.
    struct Head: Equatable {
        var method: String
        var authority: String
        var target: String
        var upgrade: String
        var fields: [(name: String, value: String)] = []

        init(_ head: borrowing RequestHead) {
            method = Self.text(head.method.readable)
            authority = Self.text(head.authority.readable)
            target = Self.text(head.target.readable)
            upgrade = Self.text(head.upgrade.readable)
            fields = HTTP2Recording.fields(of: head.fields)
        }

        static func == (one: Head, other: Head) -> Bool {
            one.method == other.method && one.authority == other.authority && one.target == other.target
                && one.upgrade == other.upgrade && one.fields.elementsEqual(other.fields, by: ==)
        }

        /// The characters are those of the bytes, whatever these are.
        static func text(_ bytes: Span<UInt8>) -> String {
            String(String.UnicodeScalarView(Array(copying: bytes).map { Unicode.Scalar($0) }))
        }
    }

    /// What was told, heads and content included, in order.
    private(set) var lines: [String] = []
    private(set) var heads: [Head] = []
    private(set) var failure: HTTP2Error?
    private(set) var sentError = false
    private(set) var events = 0
    private(set) var isWithinBounds = true
    private var output: [UInt8] = []

    init(_ plan: HTTP2Plan, _ frames: [UInt8], cut: Cut) throws(Violation) {
        if plan.isServer {
            let (server, opening) = try plan.makeServer()
            feed(server, opening + frames, plan, cut)
            send(server)
            while let event = server.nextEvent() { note(event, of: server) }
            finish(server)
        } else {
            let (client, opening) = try plan.makeClient()
            feed(client, opening + frames, plan, cut)
            send(client)
            while let event = client.nextEvent() { note(event, of: client) }
            finish(client)
        }
    }

    private mutating func feed(_ machine: HTTP2Connection, _ bytes: [UInt8], _ plan: HTTP2Plan, _ cut: Cut) {
        var offset = 0
        var seed = UInt32(plan.seed) &+ 1
        while offset < bytes.count {
            seed = seed &* 1_664_525 &+ 1_013_904_223
            let step =
                switch cut {
                case .nowhere: bytes.count
                case .somewhere: Int(seed >> 24 % 40) + 1
                case .everywhere: 1
                }
            let end = min(bytes.count, offset + step)
            do throws(HTTP2Error) {
                try machine.receive(bytes.span.extracting(offset..<end), now: MonotonicTime(nanoseconds: 0))
            } catch {
                failure = error
                return
            }
            offset = end
        }
    }

    private mutating func note(_ event: HTTP2ServerConnection.Event, of server: HTTP2ServerConnection) {
        // Content that came in the piece before a fault is told of, that in the same piece is not.
        if case .body = event { return }
        events += 1
        lines.append("\(event)")
        switch event {
        case .request(let stream, _):
            var head = RequestHead()
            guard server.takeHead(of: stream, into: &head) else { return }
            heads.append(Head(head))
            lines.append("\(heads[heads.count - 1])")
        case .endOfBody(let stream): noteTrailers(of: stream, server)
        default: break
        }
    }

    private mutating func note(_ event: HTTP2ClientConnection.Event, of client: HTTP2ClientConnection) {
        // Content that came in the piece before a fault is told of, that in the same piece is not.
        if case .body = event { return }
        events += 1
        lines.append("\(event)")
        switch event {
        case .response(let stream, _):
            var head = ResponseHead()
            guard client.takeHead(of: stream, into: &head) else { return }
            lines.append("\(head.status) \(head.framing) \(Self.fields(of: head.fields))")
        case .endOfBody(let stream): noteTrailers(of: stream, client)
        default: break
        }
    }

    private mutating func noteTrailers(of stream: Int32, _ machine: HTTP2Connection) {
        var trailers = FieldTable()
        if machine.takeTrailers(of: stream, into: &trailers) { lines.append("\(Self.fields(of: trailers))") }
    }

    /// Sends before anything is told: the streams that are reset are over then, and nothing of them depends on cuts.
    private mutating func send(_ machine: HTTP2Connection) {
        var queue = ByteQueue()
        machine.send(into: &queue, upTo: 1 << 20)
        output = Array(copying: queue.readable)
    }

    private mutating func finish(_ machine: HTTP2Connection) {
        if let code = machine.sentGoAway { sentError = code != .noError }
        isWithinBounds = machine.openStreams <= HTTP2Plan.streams
        for stream in Int32(1)...99 {
            var content = ByteQueue()
            let count = machine.bufferedBody(of: stream)
            // The frame that goes over a window is read before its stream is reset.
            if count > HTTP2Plan.streamWindow + 16_384 { isWithinBounds = false }
            guard machine.takeBody(of: stream, into: &content, upTo: .max) > 0, !sentError, failure == nil else {
                continue
            }
            lines.append("\(stream): \(Head.text(content.readable))")
        }
    }

    private static func fields(of table: borrowing FieldTable) -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        for index in 0..<table.count { fields.append((Head.text(table.name(index)), Head.text(table.value(index)))) }
        return fields
    }
}
