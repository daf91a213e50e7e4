import Bytes
import HTTP
import HTTP1

/// A field line as text of characters below 256, so that no byte is lost.
struct Line: Equatable {
    var name: String
    var value: String

    init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// A head of a request as plain values.
struct RequestText: Equatable {
    var method = "GET"
    var target = "/"
    var authority = "a"
    var version = HTTPVersion.http11
    var framing = BodyFraming.none
    var fields: [Line] = []
    var expectsContinue = false
    var keepsAlive = true
    var upgrade = ""
    var acceptsTrailers = false
}

/// A head of an answer as plain values.
struct ResponseText: Equatable {
    var status: UInt16 = 200
    var framing = BodyFraming.none
    var fields: [Line] = []
    var upgrade = ""
}

/// What a machine said, with pieces of content joined, so that it does not depend on how the bytes arrived.
enum Event: Equatable {
    case request(RequestText, hasBody: Bool)
    case response(ResponseText, hasBody: Bool)
    case informational
    case body(String)
    case end
    case trailers([Line])
    case switched(ResponseText)
    case tunnel(String)
    case waiting
    case fault(MessageFault)
    case unexpected
}

extension [Event] {
    mutating func note(_ event: Event) {
        if case .body(let more) = event, case .body(let text) = last {
            self[count - 1] = .body(text + more)
        } else if case .tunnel(let more) = event, case .tunnel(let text) = last {
            self[count - 1] = .tunnel(text + more)
        } else if event != .waiting || last != .waiting {
            append(event)
        }
    }
}

func latin1(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in bytes.indices { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
}

/// The bytes of text whose characters are below 256.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
}

func lines(_ fields: borrowing FieldTable) -> [Line] {
    var lines: [Line] = []
    for index in 0..<fields.count { lines.append(Line(latin1(fields.name(index)), latin1(fields.value(index)))) }
    return lines
}

func text(_ head: borrowing RequestHead) -> RequestText {
    RequestText(
        method: latin1(head.method.readable), target: latin1(head.target.readable),
        authority: latin1(head.authority.readable), version: head.version, framing: head.framing,
        fields: lines(head.fields), expectsContinue: head.expectsContinue, keepsAlive: head.keepsAlive,
        upgrade: latin1(head.upgrade.readable), acceptsTrailers: head.acceptsTrailers)
}

func text(_ head: borrowing ResponseHead) -> ResponseText {
    ResponseText(
        status: head.status, framing: head.framing, fields: lines(head.fields), upgrade: latin1(head.upgrade.readable))
}

func fill(_ head: inout RequestHead, _ text: RequestText) {
    head.removeAll()
    head.method.append(bytes(text.method).span)
    head.target.append(bytes(text.target).span)
    head.authority.append(bytes(text.authority).span)
    head.version = text.version
    head.upgrade.append(bytes(text.upgrade).span)
    head.acceptsTrailers = text.acceptsTrailers
    head.framing = text.framing
    for line in text.fields { head.fields.append(name: bytes(line.name).span, value: bytes(line.value).span) }
}

func fill(_ head: inout ResponseHead, _ text: ResponseText) {
    head.removeAll()
    head.status = text.status
    head.upgrade.append(bytes(text.upgrade).span)
    head.framing = text.framing
    for line in text.fields { head.fields.append(name: bytes(line.name).span, value: bytes(line.value).span) }
}

func table(_ lines: [Line]) -> FieldTable {
    var table = FieldTable()
    for line in lines { table.append(name: bytes(line.name).span, value: bytes(line.value).span) }
    return table
}

extension ByteQueue {
    /// The text that waits, taken off.
    mutating func takeText() -> String {
        let text = latin1(readable)
        removeAll()
        return text
    }
}

let roomy = HeadLimits(bytes: 8192, count: 100)

/// A driver of the server's machine that answers every request with an empty 200, unless told otherwise.
struct ServerTranscript: ~Copyable {
    var machine: HTTP1ServerConnection
    var head = RequestHead()
    var output = ByteQueue()
    var trailers = FieldTable()
    var events: [Event] = []
    var answers = true
    private(set) var pending: [UInt8] = []

    init(limits: HeadLimits = roomy, bodyLimit: UInt64 = 0) {
        machine = HTTP1ServerConnection(limits: limits, bodyLimit: bodyLimit)
    }

    /// Feeds `input` in pieces of `size` bytes.
    mutating func feed(_ input: String, by size: Int = .max) {
        let input = bytes(input)
        var start = 0
        while start < input.count {
            let end = start + min(size, input.count - start)
            pending += input[start..<end]
            start = end
            if drain() { return }
        }
    }

    /// Takes every event that there is; whether the machine has refused.
    @discardableResult
    mutating func drain() -> Bool {
        while true {
            let bytes = pending
            switch machine.input(bytes.span, head: &head) {
            case .needMore(let consumed):
                pending.removeFirst(consumed)
                return false
            case .waiting:
                events.note(.waiting)
                return false
            case .refused(let fault):
                events.note(.fault(fault))
                return true
            case .request(let consumed, let hasBody):
                pending.removeFirst(consumed)
                events.note(.request(text(head), hasBody: hasBody))
                if !hasBody, answers { answer(ResponseText()) }
            case .body(let offset, let count, let consumed):
                events.note(.body(latin1(bytes.span.extracting(offset..<offset + count))))
                pending.removeFirst(consumed)
            case .endOfBody(let consumed):
                pending.removeFirst(consumed)
                events.note(.end)
                if machine.takeTrailers(into: &trailers) { events.note(.trailers(lines(trailers))) }
                if answers { answer(ResponseText()) }
            case .tunnel(let offset, let count, let consumed):
                events.note(.tunnel(latin1(bytes.span.extracting(offset..<offset + count))))
                pending.removeFirst(consumed)
            }
        }
    }

    /// Writes a whole answer.
    mutating func answer(_ answer: ResponseText, content: [String] = [], trailers: [Line]? = nil) {
        sendHead(answer)
        for piece in content { machine.sendBody(bytes(piece).span, into: &output) }
        guard let trailers else { return machine.endBody(into: &output) }
        let table = table(trailers)
        machine.endBody(trailers: table, into: &output)
    }

    /// Gives the connection over.
    mutating func switchProtocols(_ answer: ResponseText) {
        var head = ResponseHead()
        fill(&head, answer)
        machine.switchProtocols(head, into: &output)
    }

    mutating func sendHead(_ answer: ResponseText) {
        var head = ResponseHead()
        fill(&head, answer)
        machine.sendHead(head, into: &output)
    }
}

/// What the server's machine makes of `input`, which arrives in pieces of `size`.
func serve(_ input: String, by size: Int = .max, limits: HeadLimits = roomy, bodyLimit: UInt64 = 0) -> [Event] {
    var transcript = ServerTranscript(limits: limits, bodyLimit: bodyLimit)
    transcript.feed(input, by: size)
    return transcript.events
}

/// A driver of the client's machine.
struct ClientTranscript: ~Copyable {
    var machine: HTTP1ClientConnection
    var head = ResponseHead()
    var output = ByteQueue()
    var trailers = FieldTable()
    var events: [Event] = []
    private(set) var pending: [UInt8] = []

    init(limits: HeadLimits = roomy) {
        machine = HTTP1ClientConnection(limits: limits)
    }

    /// Writes a whole request.
    mutating func send(_ request: RequestText, content: [String] = [], trailers: [Line]? = nil) {
        sendHead(request)
        for piece in content { machine.sendBody(bytes(piece).span, into: &output) }
        guard let trailers else { return machine.endBody(into: &output) }
        let table = table(trailers)
        machine.endBody(trailers: table, into: &output)
    }

    mutating func sendHead(_ request: RequestText) {
        var head = RequestHead()
        fill(&head, request)
        machine.sendHead(head, into: &output)
    }

    /// Feeds `input` in pieces of `size` bytes.
    mutating func feed(_ input: String, by size: Int = .max) {
        let input = bytes(input)
        var start = 0
        while start < input.count {
            let end = start + min(size, input.count - start)
            pending += input[start..<end]
            start = end
            if drain() { return }
        }
    }

    /// Takes every event that there is; whether the connection is spoilt.
    private mutating func drain() -> Bool {
        while true {
            let bytes = pending
            switch machine.input(bytes.span, head: &head) {
            case .needMore(let consumed):
                pending.removeFirst(consumed)
                return false
            case .informational(let consumed):
                pending.removeFirst(consumed)
                events.note(.informational)
            case .malformed(let fault):
                events.note(.fault(fault))
                return true
            case .unexpected:
                events.note(.unexpected)
                return true
            case .response(let consumed, let hasBody):
                pending.removeFirst(consumed)
                events.note(.response(text(head), hasBody: hasBody))
            case .body(let offset, let count, let consumed):
                events.note(.body(latin1(bytes.span.extracting(offset..<offset + count))))
                pending.removeFirst(consumed)
            case .endOfBody(let consumed):
                pending.removeFirst(consumed)
                events.note(.end)
                if machine.takeTrailers(into: &trailers) { events.note(.trailers(lines(trailers))) }
            case .switched(let consumed):
                pending.removeFirst(consumed)
                events.note(.switched(text(head)))
            case .tunnel(let offset, let count, let consumed):
                events.note(.tunnel(latin1(bytes.span.extracting(offset..<offset + count))))
                pending.removeFirst(consumed)
            }
        }
    }
}
