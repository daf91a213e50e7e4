public import Bytes
public import HTTP

/// The server's side of one HTTP/2 connection (RFC 9113).
///
/// It knows no socket: what the peer sent goes into ``receive(_:now:)``, what it meant comes out of ``nextEvent()``, and
/// what is for the peer comes out of ``send(into:upTo:)``. A driver turns that wheel: receive, take all events, answer,
/// send, take events again (sending makes some), and close when ``isFinished``. Content is bounded both ways: the peer may
/// send ahead no more than its windows, which open only when content is taken; and the driver watches
/// ``pendingBody(on:)``. One thread uses it.
public final class HTTP2ServerConnection {
    /// What the peer's bytes meant.
    ///
    /// A stream that was named in ``request(stream:hasBody:)`` or ``refused(stream:_:)`` ends with exactly one
    /// ``completed(stream:)`` or ``reset(stream:)``, unless the driver resets it or the connection ends first.
    public enum Event: Equatable, Sendable {
        /// A request came: take it with ``HTTP2ServerConnection/takeHead(of:into:)``.
        case request(stream: Int32, hasBody: Bool)
        /// There is content to take, and there was none before; ``HTTP2ServerConnection/bufferedBody(of:)`` says how much.
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

    let limits: HTTP2Limits
    let session: NGHTTP2Session
    var streams = StreamSlab()
    var events = EventQueue()
    var assembler: RequestHeadAssembler
    /// The stream whose field block is being read.
    var assembling: HTTP2Stream?
    var guards: AbuseGuards
    /// Where frames go during ``send(into:upTo:)``.
    var sink = ByteQueue()
    var sinkLimit = 0
    private var fields = ResponseFields()
    private var sentNotice = false
    private var isBroken = false

    /// Why the connection cannot go on.
    public internal(set) var failure: HTTP2Error?
    /// The code of the last GOAWAY that was sent: tells apart how connections ended.
    public internal(set) var sentGoAway: HTTP2ErrorCode?

    /// Makes the state of a new connection and queues our SETTINGS.
    public init(limits: HTTP2Limits) throws(HTTP2Error) {
        self.limits = limits
        session = try NGHTTP2Session(limits: limits)
        assembler = RequestHeadAssembler(limits: limits.head, bodyLimit: limits.bodyLimit)
        guards = AbuseGuards(limits.abuse)
        session.attach(self)
    }

    // MARK: Input

    /// Takes all of the peer's bytes.
    ///
    /// An error of the framing (RFC 9113 §5.4.1) is not thrown: its GOAWAY is queued, and once that is sent the connection
    /// ``isFinished``.
    ///
    /// - Throws: what makes the connection useless. Send what is pending, which says so to the peer, and close.
    public func receive(_ bytes: Span<UInt8>, now: MonotonicTime) throws(HTTP2Error) {
        if let failure { throw failure }
        guards.advance(to: now)
        let error = session.receive(bytes)
        if let abuse = guards.abuse { throw fail(.abuse(abuse)) }
        if let error { throw fail(error) }
        if session.backlog > limits.abuse.backlog { throw fail(.abuse(.backlog)) }
    }

    private func fail(_ error: HTTP2Error) -> HTTP2Error {
        failure = error
        let code: HTTP2ErrorCode =
            switch error {
            case .abuse: .enhanceYourCalm
            case .badPreface: .protocolError
            case .invalidLimits, .outOfMemory, .library: .internalError
            }
        session.terminate(code)
        return error
    }

    /// The next event, oldest first; to be asked until there is none, after receiving and after sending.
    public func nextEvent() -> Event? {
        events.popFirst()
    }

    /// Exchanges the request's head for `head`, whose memory is used again for another's; false where there is none to take.
    public func takeHead(of stream: Int32, into head: inout RequestHead) -> Bool {
        guard let slot = slot(of: stream), slot.hasHead else { return false }
        slot.hasHead = false
        swap(&head, &slot.head)
        return true
    }

    /// Moves up to `limit` bytes of the stream's content to the end of `output`, and returns how many.
    ///
    /// Only now do they count as consumed, so that the peer may send as many again.
    public func takeBody(of stream: Int32, into output: inout ByteQueue, upTo limit: Int) -> Int {
        guard let slot = slot(of: stream) else { return 0 }
        let count = min(limit, slot.received.count)
        guard count > 0 else { return 0 }
        if output.isEmpty, count == slot.received.count {
            swap(&output, &slot.received)
        } else {
            slot.received.move(count, to: &output)
        }
        if slot.requestEnded { session.consume(count) } else { session.consume(count, of: stream) }
        return count
    }

    /// The number of bytes of the stream's content that wait to be taken.
    public func bufferedBody(of stream: Int32) -> Int {
        slot(of: stream)?.received.count ?? 0
    }

    /// Whether the stream's content came whole and was taken whole.
    public func isBodyComplete(of stream: Int32) -> Bool {
        guard let slot = slot(of: stream) else { return false }
        return slot.requestEnded && slot.received.isEmpty
    }

    // MARK: Output

    /// Whether an answer's head can still be sent on the stream.
    public func canAnswer(_ stream: Int32) -> Bool {
        guard let slot = slot(of: stream) else { return false }
        return !slot.answerBegan && !slot.isClosing
    }

    /// Queues the head of an answer: interim ones (1xx, but not 101) first, then one that is final.
    ///
    /// Fields that belong to a connection are left out and `content-length` follows the framing. Answers to HEAD, and
    /// those with 204 and 304, end here whatever `endStream` says. Nothing happens where the stream cannot be answered.
    public func sendHead(_ head: borrowing ResponseHead, on stream: Int32, endStream: Bool) {
        guard let slot = slot(of: stream), !slot.answerBegan, !slot.isClosing, head.status != 101 else { return }
        let length = AnswerLength(status: head.status, framing: head.framing, toHead: slot.isHeadMethod)
        guard head.status >= 200 else {
            _ = unsafe fields.lend(head, length: length) { unsafe session.submitInterim($0, on: stream) }
            return
        }
        let ends = endStream || slot.isHeadMethod || head.status == 204 || head.status == 304
        slot.answerBegan = true
        slot.answerEnded = ends
        if !ends, case .exactly(let count) = length { slot.declaredBytes = count }
        let isQueued = unsafe fields.lend(head, length: length) {
            unsafe session.submit($0, on: stream, endsStream: ends)
        }
        if !isQueued { close(slot, .internalError) }
    }

    /// Copies content of the answer into the stream's buffer.
    ///
    /// Content beyond a declared length resets the stream: the peer must not take it for the next thing.
    public func sendBody(_ bytes: Span<UInt8>, on stream: Int32) {
        guard let slot = slot(of: stream), slot.answerBegan, !slot.answerEnded, !slot.isClosing, !bytes.isEmpty else {
            return
        }
        if let declared = slot.declaredBytes {
            guard UInt64(bytes.count) <= declared else { return close(slot, .internalError) }
            slot.declaredBytes = declared - UInt64(bytes.count)
        }
        slot.outgoing.append(bytes)
        resume(slot)
    }

    /// The number of bytes that ``sendBody(_:on:)`` took and that are not framed yet.
    public func pendingBody(on stream: Int32) -> Int {
        slot(of: stream)?.outgoing.count ?? 0
    }

    /// Ends the answer's content; where a declared length was not reached, the stream is reset instead.
    public func endBody(on stream: Int32) {
        guard let slot = slot(of: stream), slot.answerBegan, !slot.answerEnded, !slot.isClosing else { return }
        if let missing = slot.declaredBytes, missing > 0 { return close(slot, .internalError) }
        slot.answerEnded = true
        resume(slot)
    }

    /// Ends the exchange at once; no event tells of the stream any more.
    public func reset(stream: Int32, _ code: HTTP2ErrorCode) {
        guard let slot = slot(of: stream) else { return }
        slot.isForgotten = true
        drop(slot)
        close(slot, code)
    }

    /// Appends frames to `output` until it grew by `bytes` (by a frame more at most) or there are none that may go now.
    public func send(into output: inout ByteQueue, upTo bytes: Int) {
        guard !isBroken else { return }
        swap(&output, &sink)
        sinkLimit = sink.count + bytes
        var more = true
        while more, sink.count < sinkLimit {
            switch session.nextOutput({ sink.append($0) }) {
            case .bytes: break
            case .nothing: more = false
            case .failed:
                isBroken = true
                more = false
            }
        }
        swap(&output, &sink)
    }

    /// Whether there are frames that may go now.
    public var wantsToSend: Bool { !isBroken && session.wantsOutput }

    /// Whether nothing is left to read or write: close.
    public var isFinished: Bool { isBroken || !session.wantsInput && !session.wantsOutput }

    /// Whether a field section has begun and not ended.
    public var isInHead: Bool { assembling != nil }

    /// The bytes of answers' content that were framed so far: they go only as the peer opens its windows.
    public internal(set) var framedBytes: UInt64 = 0

    /// The number of streams that are not closed.
    public var openStreams: Int { streams.open }

    // MARK: Ends

    /// Lets what is under way finish and takes no more (RFC 9113 §6.8): to be called twice.
    ///
    /// The first call asks the peer to open no more streams but still serves those it sends. The second, a round trip or a
    /// second later, names the last stream that is served; when it and those before it are done, the connection
    /// ``isFinished``.
    public func drain() {
        if sentNotice {
            session.submitGoAway()
        } else {
            sentNotice = true
            session.submitShutdownNotice()
        }
    }

    /// Queues a GOAWAY with that code; once it is sent, the connection ``isFinished`` whatever was under way.
    public func shutdown(_ code: HTTP2ErrorCode) {
        session.terminate(code)
    }

    /// Gives back memory that only streams need; for connections that fall idle.
    public func releaseMemory() {
        streams.releaseMemory()
        if assembling == nil { assembler.releaseMemory() }
    }
}
