import Bytes
import HTTP
import HTTP1

/// All that a machine said of an input.
struct HTTP1Recording: Equatable {
    var messages: [HTTP1Message] = []
    /// How many interim answers were passed over.
    var interim = 0
    /// What came behind a change of protocols; nothing where there was none.
    var tunnel: [UInt8]?
    var fault: MessageFault?
    var isUnexpected = false
    /// How many bytes were left.
    var rest = 0
    /// What the end of input meant.
    var end = ""

    mutating func add(_ content: Span<UInt8>) {
        guard !messages.isEmpty else { return }
        messages[messages.count - 1].content += Array(copying: content)
    }

    mutating func finish(_ trailers: borrowing FieldTable) {
        guard !messages.isEmpty else { return }
        messages[messages.count - 1].isWhole = true
        messages[messages.count - 1].trailers = HTTP1Field.lines(of: trailers)
    }
}

/// Where the reading of an input stands that arrives in pieces.
struct HTTP1Pieces {
    private let count: Int
    private let size: Int
    private var steps = 0
    private(set) var position = 0
    private(set) var arrived = 0

    init(count: Int, size: Int) {
        self.count = count
        self.size = size
    }

    var rest: Int { count - position }

    /// Takes bytes off, which must be there.
    mutating func consume(_ consumed: Int) throws(Violation) {
        steps += 1
        guard steps <= 8 * count + 64 else { throw Violation(property: "reading comes to an end") }
        guard consumed >= 0, consumed <= arrived - position else {
            throw Violation(property: "no more is consumed than there is")
        }
        position += consumed
    }

    /// Where content lies, which must be among what is consumed.
    mutating func take(offset: Int, count: Int, consumed: Int) throws(Violation) -> Range<Int> {
        guard offset >= 0, count > 0, offset + count <= consumed else {
            throw Violation(property: "content is among what is consumed")
        }
        let start = position
        try consume(consumed)
        return start + offset..<start + offset + count
    }

    /// Lets the next piece arrive; false where there is none.
    mutating func next() -> Bool {
        guard arrived < count else { return false }
        arrived += min(size, count - arrived)
        return true
    }
}

extension HTTP1Recording {
    /// What the server's machine says; every request is answered at once when it is whole.
    static func ofServer(
        _ input: Span<UInt8>, by size: Int, limits: HeadLimits, bodyLimit: UInt64
    ) throws(Violation) -> HTTP1Recording {
        var recording = HTTP1Recording()
        var machine = HTTP1ServerConnection(limits: limits, bodyLimit: bodyLimit)
        var head = RequestHead()
        var trailers = FieldTable()
        var pieces = HTTP1Pieces(count: input.count, size: size)
        reading: while true {
            switch machine.input(input.extracting(pieces.position..<pieces.arrived), head: &head) {
            case .needMore(let consumed):
                try pieces.consume(consumed)
                if !pieces.next() { break reading }
            case .waiting: if !pieces.next() { break reading }
            case .refused(let fault):
                recording.fault = fault
                let again = machine.input(input, head: &head)
                guard again == .refused(fault) else { throw Violation(property: "what was refused stays refused") }
                break reading
            case .request(let consumed, let hasBody):
                try pieces.consume(consumed)
                recording.messages.append(HTTP1Message(head, hasBody: hasBody))
                if !hasBody { answer(head, by: &machine, &recording) }
            case .body(let offset, let count, let consumed):
                recording.add(input.extracting(try pieces.take(offset: offset, count: count, consumed: consumed)))
            case .endOfBody(let consumed):
                try pieces.consume(consumed)
                _ = machine.takeTrailers(into: &trailers)
                recording.finish(trailers)
                answer(head, by: &machine, &recording)
            case .tunnel(let offset, let count, let consumed):
                let range = try pieces.take(offset: offset, count: count, consumed: consumed)
                recording.tunnel? += Array(copying: input.extracting(range))
            }
        }
        recording.rest = recording.fault == nil ? pieces.rest : 0
        recording.end = "\(machine.endOfInput())"
        return recording
    }

    private static func answer(
        _ request: borrowing RequestHead, by machine: inout HTTP1ServerConnection, _ recording: inout HTTP1Recording
    ) {
        var output = ByteQueue()
        var answer = ResponseHead()
        if request.upgrade.isEmpty {
            answer.status = 200
            machine.sendHead(answer, into: &output)
            machine.endBody(into: &output)
        } else {
            answer.upgrade.append(request.upgrade)
            machine.switchProtocols(answer, into: &output)
            recording.tunnel = []
        }
    }

    /// What the client's machine says of the answer to a request.
    static func ofClient(
        _ input: Span<UInt8>, to request: HTTP1Message, by size: Int, limits: HeadLimits
    ) throws(Violation) -> HTTP1Recording {
        var recording = HTTP1Recording()
        var machine = HTTP1ClientConnection(limits: limits)
        HTTP1Writing.send(request, by: &machine)
        var head = ResponseHead()
        var trailers = FieldTable()
        var pieces = HTTP1Pieces(count: input.count, size: size)
        reading: while true {
            switch machine.input(input.extracting(pieces.position..<pieces.arrived), head: &head) {
            case .needMore(let consumed):
                try pieces.consume(consumed)
                if !pieces.next() { break reading }
            case .malformed(let fault):
                recording.fault = fault
                break reading
            case .unexpected:
                recording.isUnexpected = true
                break reading
            case .informational(let consumed):
                try pieces.consume(consumed)
                recording.interim += 1
            case .response(let consumed, let hasBody):
                try pieces.consume(consumed)
                recording.messages.append(HTTP1Message(head, hasBody: hasBody))
            case .body(let offset, let count, let consumed):
                recording.add(input.extracting(try pieces.take(offset: offset, count: count, consumed: consumed)))
            case .endOfBody(let consumed):
                try pieces.consume(consumed)
                _ = machine.takeTrailers(into: &trailers)
                recording.finish(trailers)
            case .switched(let consumed):
                try pieces.consume(consumed)
                recording.messages.append(HTTP1Message(head, hasBody: false))
                recording.tunnel = []
            case .tunnel(let offset, let count, let consumed):
                let range = try pieces.take(offset: offset, count: count, consumed: consumed)
                recording.tunnel? += Array(copying: input.extracting(range))
            }
        }
        recording.rest = recording.fault == nil ? pieces.rest : 0
        let end = machine.endOfInput()
        if end == .complete { recording.finish(FieldTable()) }
        recording.end = "\(end)"
        guard !machine.isReusable else { throw Violation(property: "a connection that has ended is not used again") }
        return recording
    }
}
