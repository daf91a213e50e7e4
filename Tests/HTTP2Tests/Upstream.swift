import Bytes
import HTTP
import HTTP2

/// The server of one connection of ours, which sends what it is told to and reads every frame that comes.
final class Upstream {
    typealias Frame = FrameReader.Frame
    typealias Event = HTTP2ClientConnection.Event

    let connection: HTTP2ClientConnection
    var now = MonotonicTime(nanoseconds: 0)
    private let reader = FrameReader()
    private var preface = 24

    /// Opens a connection; `greets`: SETTINGS were exchanged and acknowledged.
    init(
        _ limits: HTTP2ClientLimits = HTTP2ClientLimits(), settings: [(UInt16, UInt32)] = [], greets: Bool = true,
        overTLS: Bool = true
    ) throws {
        connection = try HTTP2ClientConnection(limits: limits, overTLS: overTLS)
        guard greets else { return }
        _ = receive()
        try send(Frames.settings(settings) + Frames.settingsAcknowledgement)
        _ = receive()
    }

    func send(_ bytes: [UInt8]) throws(HTTP2Error) {
        try connection.receive(bytes.span, now: now)
    }

    /// What the connection has for us, in pieces of `step` bytes.
    func receive(step: Int = 1 << 20) -> [Frame] {
        let bytes = connection.output(step: step)
        let skipped = min(preface, bytes.count)
        preface -= skipped
        return reader.read(Array(bytes.dropFirst(skipped)))
    }

    func events() -> [Event] {
        var events: [Event] = []
        while let event = connection.nextEvent() { events.append(event) }
        return events
    }

    /// Makes a request without content, or with that content.
    func open(
        _ method: String = "GET", _ target: String = "/", framing: BodyFraming = .none,
        fields: [(String, String)] = [], acceptsTrailers: Bool = false, content: [UInt8]? = nil
    ) -> Int32? {
        var head = RequestHead()
        head.method.append(utf8: method)
        head.authority.append("up.test")
        head.target.append(utf8: target)
        head.framing = framing
        head.acceptsTrailers = acceptsTrailers
        head.fields = table(of: fields)
        guard let stream = connection.open(head, endStream: content == nil) else { return nil }
        if let content, !content.isEmpty { connection.sendBody(content.span, on: stream) }
        return stream
    }

    /// The answer's head as its status and lines, its framing before them.
    func takeHead(of stream: Int32) -> (BodyFraming, [String])? {
        var head = ResponseHead()
        guard connection.takeHead(of: stream, into: &head) else { return nil }
        return (head.framing, ["\(head.status)"] + lines(of: head.fields))
    }

    /// The frames of an answer's head.
    static func answer(
        _ stream: Int32, _ status: String = "200", _ fields: [(String, String)] = [], end: Bool = false
    ) -> [UInt8] {
        Frames.headers(stream, [(":status", status)] + fields, end: end)
    }
}
