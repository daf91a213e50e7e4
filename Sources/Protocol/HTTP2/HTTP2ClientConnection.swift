import Bytes
public import HTTP

/// The client's side of one HTTP/2 connection to an upstream (RFC 9113), over TLS or with prior knowledge.
///
/// Its driver makes requests with ``open(_:endStream:)`` and what ``HTTP2Connection`` has for content, and takes answers
/// with ``nextEvent()`` and ``takeHead(of:into:)``. An answer that breaks a rule ends its exchange only; an upstream that
/// breaks those of the framing, or wears us down, ends its connection.
public final class HTTP2ClientConnection: HTTP2Connection {
    /// What the upstream's bytes meant.
    ///
    /// A stream that ``open(_:endStream:)`` named ends with exactly one ``completed(stream:)`` or ``failed(stream:_:)``, the
    /// last that is told of it, unless the driver resets it or the connection ends first.
    public enum Event: Equatable, Sendable {
        /// The final answer came: take its head with ``HTTP2ClientConnection/takeHead(of:into:)``.
        case response(stream: Int32, hasBody: Bool)
        /// There is content to take, and there was none before; ``HTTP2Connection/bufferedBody(of:)`` says how much.
        case body(stream: Int32)
        /// No content comes after what is buffered now; ``HTTP2Connection/takeTrailers(of:into:)`` may have fields.
        case endOfBody(stream: Int32)
        /// The stream's unframed content fell under the low mark.
        case writable(stream: Int32)
        /// The answer came whole and was taken whole, and nothing more of the request can go.
        case completed(stream: Int32)
        /// There will be no whole answer: forget the stream.
        case failed(stream: Int32, StreamFailure)
        /// The upstream serves no more streams than it has begun.
        case goAway
    }

    /// Why a stream has no whole answer.
    public enum StreamFailure: Equatable, Sendable {
        /// The upstream did nothing with the request, and says so (RFC 9113 §8.7), or was never sent it.
        case notProcessed
        /// The upstream reset the stream.
        case reset(HTTP2ErrorCode)
        /// The answer breaks a rule or a limit.
        case malformed(MessageFault)
    }

    private let limits: HTTP2ClientLimits
    private let scheme: StaticString
    private var events = EventQueue<Event>()
    private var assembler: ResponseHeadAssembler
    private var isDraining = false

    /// Makes the state of a new connection and queues the preface and our SETTINGS.
    ///
    /// - Parameter overTLS: whether requests are for `https` resources; else they are for `http`.
    public init(limits: HTTP2ClientLimits, overTLS: Bool) throws(HTTP2Error) {
        guard limits.streams > 0 else { throw .invalidLimits }
        self.limits = limits
        scheme = overTLS ? "https" : "http"
        assembler = ResponseHeadAssembler(limits: limits.head)
        try super.init(limits.sessionOptions)
    }

    // MARK: Requests

    /// Whether another request may be made now.
    public var canOpen: Bool {
        !isDraining && failure == nil && openStreams < limits.streams && session.mayOpen(beside: openStreams)
    }

    /// Queues the head of a request and returns its stream; nothing where none ``canOpen``, or for CONNECT.
    ///
    /// `content-length` follows the framing, `te: trailers` is said where the head accepts them, and `expect` never: content
    /// follows without being asked for. Fields that belong to a connection are left out.
    public func open(_ head: borrowing RequestHead, endStream: Bool) -> Int32? {
        guard canOpen, !head.method.readable.equals("CONNECT") else { return nil }
        let length = Self.declaredLength(head, endStream: endStream)
        let stream = unsafe fieldLines.lend(head, scheme: scheme, length: length) {
            unsafe session.submitRequest($0, endsStream: endStream)
        }
        guard let stream else { return nil }
        let slot = streams.claim(id: stream)
        slot.isHeadMethod = head.method.readable.equals("HEAD")
        slot.isAnnounced = true
        slot.outgoingBegan = true
        slot.outgoingEnded = endStream
        slot.declaredBytes = endStream ? nil : length
        guards.streamOpened()
        return stream
    }

    // Methods that anticipate content say that there is none (RFC 9110 §8.6).
    private static func declaredLength(_ head: borrowing RequestHead, endStream: Bool) -> UInt64? {
        if case .length(let length) = head.framing, !endStream { return length }
        let method = head.method.readable
        return endStream && (method.equals("POST") || method.equals("PUT") || method.equals("PATCH")) ? 0 : nil
    }

    // MARK: Answers

    /// The next event, oldest first; to be asked until there is none, after receiving, after sending and after taking
    /// content.
    public func nextEvent() -> Event? {
        while let event = events.popFirst() {
            switch event {
            case .response(let stream, _), .body(let stream), .endOfBody(let stream), .writable(let stream):
                if slot(of: stream) != nil { return event }
            case .completed(let stream), .failed(let stream, _):
                guard let slot = streams[stream], !slot.isForgotten else { continue }
                slot.isTold = true
                if slot.isClosed { streams.release(slot) }
                return event
            case .goAway: return event
            }
        }
        return nil
    }

    /// Exchanges the answer's head for `head`, whose memory is used again for another's; false where there is none to take.
    public func takeHead(of stream: Int32, into head: inout ResponseHead) -> Bool {
        guard let slot = slot(of: stream), slot.hasHead else { return false }
        slot.hasHead = false
        swap(&head, &slot.response)
        return true
    }

    // MARK: Ends

    /// Opens no more streams; when those that are open are done, the connection ``HTTP2Connection/isFinished``.
    public func drain() {
        guard !isDraining else { return }
        isDraining = true
        session.submitGoAway()
    }

    /// Whether nothing is left to read, to write or to take: close.
    public override var isFinished: Bool { super.isFinished && !streams.contains { $0.isClosed } }

    /// Gives back memory that only streams need; for connections that fall idle.
    public override func releaseMemory() {
        super.releaseMemory()
        if assembling == nil { assembler.releaseMemory() }
    }

    // MARK: What frames mean to a client

    override func tell(_ news: News, of slot: HTTP2Stream) {
        switch news {
        case .content: events.append(.body(stream: slot.id))
        case .endOfContent: events.append(.endOfBody(stream: slot.id))
        case .room: events.append(.writable(stream: slot.id))
        case .refused(let fault):
            fail(slot, .malformed(fault))
            close(slot, .protocolError)
        }
    }

    override func peerLeaves() {
        events.append(.goAway)
    }

    override func headBegan(on stream: Int32) -> HTTP2Stream? {
        assembler.begin()
        return streams[stream]
    }

    override func headField(name: Span<UInt8>, value: Span<UInt8>) -> Bool {
        assembler.add(name: name, value: value)
        return !assembler.isHopeless
    }

    override func malformedHeadField(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) -> Bool {
        assembler.addMalformed(name: name, valueCount: valueCount, nameIsValid: nameIsValid)
        return !assembler.isHopeless
    }

    override func headFault(isWhole: Bool, endsStream: Bool) -> MessageFault {
        if isWhole { return assembler.finish(endsStream: endsStream, toHead: false) ?? .pseudoField }
        return assembler.fault ?? .fieldLine
    }

    override func headEnded(_ slot: HTTP2Stream, endsStream: Bool) {
        if let fault = assembler.finish(endsStream: endsStream, toHead: slot.isHeadMethod) {
            return refuse(slot, fault)
        }
        guard !assembler.isInterim else {
            slot.interimBytes += assembler.bytes
            if slot.interimBytes > limits.head.bytes { refuse(slot, .fieldsTooLarge) }
            return
        }
        slot.headCame = true
        slot.incomingEnded = endsStream
        if case .length = assembler.head.framing { slot.declaresLength = true }
        let isBare = slot.isHeadMethod || assembler.head.status == 204 || assembler.head.status == 304
        slot.awaitsContent = !isBare && assembler.head.framing != .none
        swap(&slot.response, &assembler.head)
        slot.hasHead = true
        events.append(.response(stream: slot.id, hasBody: slot.awaitsContent))
    }

    override func contentTaken(_ slot: HTTP2Stream) {
        if slot.isClosed, slot.received.isEmpty { complete(slot) }
    }

    // A request that never went out ends when the library closes its stream; trailers that cannot go would leave the
    // upstream waiting.
    override func notSent(_ frame: Frame, _ slot: HTTP2Stream) {
        if slot.headFramed { close(slot, .internalError) }
    }

    override func closed(_ slot: HTTP2Stream, code: UInt32) {
        guard !slot.isForgotten, !slot.isTold else { return streams.release(slot) }
        guard !slot.isOver else { return }
        // RFC 9113 §8.1: an answer that came whole stands, whatever resets the rest of its request.
        guard slot.headCame, slot.incomingEnded else { return fail(slot, failure(of: slot, code: code)) }
        if slot.received.isEmpty { complete(slot) }
    }

    private func failure(of slot: HTTP2Stream, code: UInt32) -> StreamFailure {
        guard slot.headFramed else { return .notProcessed }
        let wasRefused = code == HTTP2ErrorCode.refusedStream.rawValue
        if wasRefused, !slot.headCame, slot.interimBytes == 0 { return .notProcessed }
        if slot.peerCode != nil || wasRefused {
            // RFC 9113 §7: a code that is unknown means no more than this.
            return .reset(HTTP2ErrorCode(rawValue: code) ?? .internalError)
        }
        if let own = slot.ownCode { return .reset(own) }
        return .malformed(slot.declaresLength ? .contentLength : .framing)
    }

    private func complete(_ slot: HTTP2Stream) {
        guard !slot.isOver else { return }
        slot.isOver = true
        guards.exchangeCompleted()
        events.append(.completed(stream: slot.id))
    }

    private func fail(_ slot: HTTP2Stream, _ failure: StreamFailure) {
        guard !slot.isOver else { return }
        drop(slot)
        slot.isOver = true
        slot.hasFailed = true
        events.append(.failed(stream: slot.id, failure))
    }
}
