import Bytes
import HTTP
import HTTP2

/// The client of one connection, which sends what it is told to and reads every frame that comes back.
final class Peer {
    typealias Frame = FrameReader.Frame

    let connection: HTTP2ServerConnection
    var now = MonotonicTime(nanoseconds: 0)
    private let reader = FrameReader()

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
        reader.read(connection.output(step: step))
    }

    func events() -> [HTTP2ServerConnection.Event] {
        var events: [HTTP2ServerConnection.Event] = []
        while let event = connection.nextEvent() { events.append(event) }
        return events
    }

    /// Takes all content of the stream that is buffered.
    func takeBody(of stream: Int32, upTo limit: Int = .max) -> [UInt8] {
        connection.body(of: stream, upTo: limit)
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
    var upgrade: String
    var acceptsTrailers: Bool

    init(_ head: borrowing RequestHead) {
        method = Self.text(head.method.readable)
        authority = Self.text(head.authority.readable)
        target = Self.text(head.target.readable)
        framing = head.framing
        expectsContinue = head.expectsContinue
        upgrade = Self.text(head.upgrade.readable)
        acceptsTrailers = head.acceptsTrailers
        fields = lines(of: head.fields)
    }

    private static func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: Array(copying: bytes), as: UTF8.self)
    }
}
