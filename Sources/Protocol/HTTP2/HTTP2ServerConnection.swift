import Bytes
public import HTTP

/// The server's side of one HTTP/2 connection (RFC 9113).
///
/// Its driver takes requests with ``nextEvent()`` and ``takeHead(of:into:)``, and answers them with
/// ``sendHead(_:on:endStream:)`` and what ``HTTP2Connection`` has for content.
public final class HTTP2ServerConnection: HTTP2Connection {
    /// What the peer's bytes meant.
    ///
    /// A stream that was named in ``request(stream:hasBody:)`` or ``refused(stream:_:)`` ends with exactly one
    /// ``completed(stream:)`` or ``reset(stream:)``, unless the driver resets it or the connection ends first.
    public enum Event: Equatable, Sendable {
        /// A request came: take it with ``HTTP2ServerConnection/takeHead(of:into:)``.
        ///
        /// An extended CONNECT (RFC 8441) has ``RequestHead/upgrade``, and its content is the bytes of that protocol.
        case request(stream: Int32, hasBody: Bool)
        /// There is content to take, and there was none before; ``HTTP2Connection/bufferedBody(of:)`` says how much.
        case body(stream: Int32)
        /// No content comes after what is buffered now.
        case endOfBody(stream: Int32)
        /// The peer, or an error of the peer's, ended the exchange before its answer was sent whole: forget it.
        case reset(stream: Int32)
        /// The request is malformed or over a limit, before or after its ``request(stream:hasBody:)``: nothing more of it
        /// comes. The driver answers where ``HTTP2ServerConnection/canAnswer(_:)``; else it is being reset already.
        case refused(stream: Int32, MessageFault)
        /// The stream's unframed content fell under the low mark.
        case writable(stream: Int32)
        /// The answer was sent whole.
        case completed(stream: Int32)
        /// The peer will open no more streams.
        case goAway
    }

    private var events = EventQueue<Event>()
    private var assembler: RequestHeadAssembler
    private var sentNotice = false

    /// Makes the state of a new connection and queues our SETTINGS.
    public init(limits: HTTP2Limits) throws(HTTP2Error) {
        guard limits.streams > 0 else { throw .invalidLimits }
        assembler = RequestHeadAssembler(
            limits: limits.head, bodyLimit: limits.bodyLimit, allowsTunnels: limits.extendedConnect)
        try super.init(limits.sessionOptions, bodyLimit: limits.bodyLimit)
    }

    /// The next event, oldest first; to be asked until there is none, after receiving and after sending.
    public func nextEvent() -> Event? {
        events.popFirst()
    }

    /// Exchanges the request's head for `head`, whose memory is used again for another's; false where there is none to take.
    public func takeHead(of stream: Int32, into head: inout RequestHead) -> Bool {
        guard let slot = slot(of: stream), slot.hasHead else { return false }
        slot.hasHead = false
        swap(&head, &slot.request)
        return true
    }

    /// Whether an answer's head can still be sent on the stream.
    public func canAnswer(_ stream: Int32) -> Bool {
        guard let slot = slot(of: stream) else { return false }
        return !slot.outgoingBegan && !slot.isClosing
    }

    /// Queues the head of an answer: interim ones (1xx, but not 101) first, then one that is final.
    ///
    /// Fields that belong to a connection are left out and `content-length` follows the framing. Answers to HEAD, and
    /// those with 204 and 304, end here whatever `endStream` says. Nothing happens where the stream cannot be answered.
    public func sendHead(_ head: borrowing ResponseHead, on stream: Int32, endStream: Bool) {
        guard let slot = slot(of: stream), !slot.outgoingBegan, !slot.isClosing, head.status != 101 else { return }
        let length = AnswerLength(
            status: head.status, framing: head.framing, toHead: slot.isHeadMethod, toTunnel: slot.isTunnel)
        guard head.status >= 200 else {
            _ = unsafe fieldLines.lend(head, length: length) { unsafe session.submitInterim($0, on: stream) }
            return
        }
        let ends = endStream || slot.isHeadMethod || head.status == 204 || head.status == 304
        slot.outgoingBegan = true
        slot.outgoingEnded = ends
        if !ends, case .exactly(let count) = length { slot.declaredBytes = count }
        let isQueued = unsafe fieldLines.lend(head, length: length) {
            unsafe session.submit($0, on: stream, endsStream: ends)
        }
        if !isQueued { close(slot, .internalError) }
    }

    /// Lets what is under way finish and takes no more (RFC 9113 §6.8): to be called twice.
    ///
    /// The first call asks the peer to open no more streams but still serves those it sends. The second, a round trip or a
    /// second later, names the last stream that is served; when it and those before it are done, the connection
    /// ``HTTP2Connection/isFinished``.
    public func drain() {
        if sentNotice {
            session.submitGoAway()
        } else {
            sentNotice = true
            session.submitShutdownNotice()
        }
    }

    /// Gives back memory that only streams need; for connections that fall idle.
    public override func releaseMemory() {
        super.releaseMemory()
        if assembling == nil { assembler.releaseMemory() }
    }

    // MARK: What frames mean to a server

    override func tell(_ news: News, of slot: HTTP2Stream) {
        switch news {
        case .content: events.append(.body(stream: slot.id))
        case .endOfContent: events.append(.endOfBody(stream: slot.id))
        case .room: events.append(.writable(stream: slot.id))
        case .refused(let fault): events.append(.refused(stream: slot.id, fault))
        }
    }

    override func peerLeaves() {
        events.append(.goAway)
    }

    override func headBegan(on stream: Int32) -> HTTP2Stream? {
        assembler.begin()
        session.levelPriority(of: stream)
        let slot = streams.claim(id: stream)
        slot.headCame = true
        return slot
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
        if isWhole { return assembler.finish(endsStream: endsStream) ?? .pseudoField }
        return assembler.fault ?? .fieldLine
    }

    override func headEnded(_ slot: HTTP2Stream, endsStream: Bool) {
        slot.incomingEnded = endsStream
        let fault = assembler.finish(endsStream: endsStream)
        slot.isHeadMethod = assembler.head.method.readable.equals("HEAD")
        if let fault { return refuse(slot, fault) }
        slot.awaitsContent = assembler.head.framing != .none
        slot.isTunnel = !assembler.head.upgrade.isEmpty
        swap(&slot.request, &assembler.head)
        slot.hasHead = true
        slot.isAnnounced = true
        events.append(.request(stream: slot.id, hasBody: slot.awaitsContent))
    }

    // RFC 9113 §8.1: nobody reads the rest of the request, so the peer need not send it.
    override func outgoingFramed(_ slot: HTTP2Stream) {
        if !slot.incomingEnded { close(slot, .noError) }
    }

    // A head that cannot be encoded must not leave the peer waiting.
    override func notSent(_ frame: Frame, _ slot: HTTP2Stream) {
        close(slot, .internalError)
    }

    override func closed(_ slot: HTTP2Stream, code: UInt32) {
        drop(slot)
        if slot.outgoingFramed { guards.exchangeCompleted() }
        if slot.isAnnounced, !slot.isForgotten {
            events.append(slot.outgoingFramed ? .completed(stream: slot.id) : .reset(stream: slot.id))
        }
        streams.release(slot)
    }
}
