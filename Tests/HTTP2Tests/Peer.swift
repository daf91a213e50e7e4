import Bytes
import HTTP
import HTTP2

/// The client of one connection, which sends what it is told to and reads every frame that comes back.
final class Peer {
    struct Frame: Equatable {
        var type: UInt8
        var flags: UInt8
        var stream: Int32
        var payload: [UInt8] = []
        /// HEADERS: the lines of the field block, continuations included.
        var fields: [String] = []

        var endsStream: Bool { flags & 0x1 != 0 }
        /// RST_STREAM, or the last word of GOAWAY.
        var code: UInt32 { number(at: type == 0x7 ? 4 : 0) }
        /// WINDOW_UPDATE, or the first word of GOAWAY.
        var value: UInt32 { number(at: 0) }

        private func number(at offset: Int) -> UInt32 {
            payload.dropFirst(offset).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    let connection: HTTP2ServerConnection
    var now = MonotonicTime(nanoseconds: 0)
    private let blocks = FieldBlockReader()
    private var unread: [UInt8] = []

    /// Opens a connection; `greets`: the preface and SETTINGS were exchanged and acknowledged.
    init(_ limits: HTTP2Limits = HTTP2Limits(), settings: [(UInt16, UInt32)] = [], greets: Bool = true) throws {
        connection = try HTTP2ServerConnection(limits: limits)
        guard greets else { return }
        try send(Frames.preface + Frames.settings(settings) + Frames.settingsAcknowledgement)
        _ = receive()
    }

    func send(_ bytes: [UInt8]) throws(HTTP2Error) {
        try connection.receive(bytes.span, now: now)
    }

    /// What the connection has for us, in pieces of `step` bytes.
    func receive(step: Int = 1 << 20) -> [Frame] {
        var output = ByteQueue()
        while connection.wantsToSend {
            let before = output.count
            connection.send(into: &output, upTo: step)
            if output.count == before { break }
        }
        unread += Array(copying: output.readable)
        return frames()
    }

    private func frames() -> [Frame] {
        var frames: [Frame] = []
        while unread.count >= 9 {
            let count = Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2])
            guard unread.count >= 9 + count else { break }
            let stream = unread[5..<9].reduce(0) { $0 << 8 | UInt32($1) }
            let payload = Array(unread[9..<9 + count])
            let frame = Frame(type: unread[3], flags: unread[4], stream: Int32(stream), payload: payload)
            unread.removeFirst(9 + count)
            if frame.type == 0x9, var head = frames.popLast() {
                head.payload += frame.payload
                head.flags |= frame.flags
                frames.append(head)
            } else {
                frames.append(frame)
            }
            if let last = frames.last, last.type == 0x1, last.flags & 0x4 != 0 {
                frames[frames.count - 1].fields = blocks.read(last.payload) ?? ["malformed"]
            }
        }
        return frames
    }

    func events() -> [HTTP2ServerConnection.Event] {
        var events: [HTTP2ServerConnection.Event] = []
        while let event = connection.nextEvent() { events.append(event) }
        return events
    }

    /// Takes all content of the stream that is buffered.
    func takeBody(of stream: Int32, upTo limit: Int = .max) -> [UInt8] {
        var output = ByteQueue()
        _ = connection.takeBody(of: stream, into: &output, upTo: limit)
        return Array(copying: output.readable)
    }

    /// The request's head in a form that can be compared.
    func takeHead(of stream: Int32) -> Head? {
        var head = RequestHead()
        guard connection.takeHead(of: stream, into: &head) else { return nil }
        return Head(head)
    }

    /// Answers with that status and, if there is content, that content.
    func answer(
        _ stream: Int32, status: UInt16 = 200, framing: BodyFraming = .none, fields: [(String, String)] = [],
        content: [UInt8]? = nil
    ) {
        var head = ResponseHead()
        head.status = status
        head.framing = framing
        for (name, value) in fields { head.fields.append(name: name.utf8.span, value: value.utf8.span) }
        connection.sendHead(head, on: stream, endStream: content == nil)
        if let content {
            connection.sendBody(content.span, on: stream)
            connection.endBody(on: stream)
        }
    }
}

/// A request head as values.
struct Head: Equatable {
    var method: String
    var authority: String
    var target: String
    var framing: BodyFraming
    var fields: [String]
    var expectsContinue: Bool

    init(_ head: borrowing RequestHead) {
        method = Self.text(head.method.readable)
        authority = Self.text(head.authority.readable)
        target = Self.text(head.target.readable)
        framing = head.framing
        expectsContinue = head.expectsContinue
        fields = []
        for index in 0..<head.fields.count {
            fields.append("\(Self.text(head.fields.name(index))): \(Self.text(head.fields.value(index)))")
        }
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: Array(copying: bytes), as: UTF8.self)
    }
}
