public import Bytes
public import HTTP

/// What the two sides of an HTTP/2 connection have in common (RFC 9113): bytes in and out, content both ways, flow control
/// and the account of abuse.
///
/// It knows no socket: what the peer sent goes into ``receive(_:now:)``, what it meant comes out as events of the side, and
/// what is for the peer comes out of ``send(into:upTo:)``. A driver turns that wheel: receive, take all events, act, send,
/// take events again (sending makes some), and close when ``isFinished``. Content is bounded both ways: the peer may send
/// ahead no more than its windows, which open only when content is taken; and the driver watches ``pendingBody(on:)``. One
/// thread uses it.
public class HTTP2Connection {
    let session: NGHTTP2Session
    var streams = StreamSlab()
    var guards: AbuseGuards
    private var scanner: FrameScanner
    var fieldLines = FieldLines()
    /// The stream whose field block is being read.
    var assembling: HTTP2Stream?
    /// Whether that block is the one behind the content.
    var assemblesTrailers = false
    var trailers: TrailerAssembler
    /// Where frames go during ``send(into:upTo:)``.
    var sink = ByteQueue()
    var sinkLimit = 0
    let sendLowMark: Int
    /// The most bytes of content that one stream may bring; 0: no limit.
    let bodyLimit: UInt64
    private let backlogLimit: Int
    private var isBroken = false

    /// Why the connection cannot go on.
    public internal(set) var failure: HTTP2Error?
    /// The code of the last GOAWAY that was sent: tells apart how connections ended.
    public internal(set) var sentGoAway: HTTP2ErrorCode?
    /// Whether the peer's SETTINGS have come: before, nobody knows how many streams it takes at a time (RFC 9113 §3.4).
    public internal(set) var isSettled = false
    /// The bytes of content that were framed so far: they go only as the peer opens its windows.
    public internal(set) var framedBytes: UInt64 = 0

    init(_ options: SessionOptions, bodyLimit: UInt64 = 0) throws(HTTP2Error) {
        session = try NGHTTP2Session(options)
        guards = AbuseGuards(options.abuse)
        scanner = FrameScanner(preface: options.isServer ? 24 : 0)
        trailers = TrailerAssembler(limits: options.head)
        sendLowMark = options.sendLowMark
        self.bodyLimit = bodyLimit
        backlogLimit = options.abuse.backlog
        session.attach(self)
    }

    // MARK: What a side makes of it

    /// What became of a stream.
    enum News {
        case content, endOfContent, room
        case refused(MessageFault)
    }

    /// Makes an event of the news.
    func tell(_ news: News, of slot: HTTP2Stream) {}

    /// The peer will open, or serve, no more streams.
    func peerLeaves() {}

    /// Begins a head on the stream; nothing where none is expected.
    func headBegan(on stream: Int32) -> HTTP2Stream? { nil }

    /// Takes a line of the head; false: it is hopeless.
    func headField(name: Span<UInt8>, value: Span<UInt8>) -> Bool { false }

    /// Takes note of a malformed line of the head; false: it is hopeless.
    func malformedHeadField(name: Span<UInt8>, valueCount: Int, nameIsValid: Bool) -> Bool { false }

    /// Ends a head that the library has accepted.
    func headEnded(_ slot: HTTP2Stream, endsStream: Bool) {}

    /// What is wrong with a head that is given up; `isWhole`: with what its lines lack, not with one of them.
    func headFault(isWhole: Bool, endsStream: Bool) -> MessageFault { .fieldLine }

    /// END_STREAM went out.
    func outgoingFramed(_ slot: HTTP2Stream) {}

    /// Content was taken from the stream.
    func contentTaken(_ slot: HTTP2Stream) {}

    /// The library could not send the frame.
    func notSent(_ frame: Frame, _ slot: HTTP2Stream) {}

    /// The library knows the stream no more.
    func closed(_ slot: HTTP2Stream, code: UInt32) {}

    // MARK: Input

    /// Takes all of the peer's bytes.
    ///
    /// An error of the framing (RFC 9113 §5.4.1) is not thrown: its GOAWAY is queued, and once that is sent the connection
    /// ``isFinished``.
    ///
    /// - Throws: what makes the connection useless. Send what is pending, which says so to the peer, and close.
    public final func receive(_ bytes: Span<UInt8>, now: MonotonicTime) throws(HTTP2Error) {
        if let failure { throw failure }
        guards.advance(to: now)
        var offset = 0
        while offset < bytes.count {
            let piece = scanner.next(bytes.extracting(offset...))
            if let began = piece.began { guards.frameBegan(began) }
            let error =
                guards.abuse == nil ? session.receive(bytes.extracting(offset..<offset + piece.count)) : nil
            if let ended = piece.ended { guards.frameEnded(ended) }
            if let abuse = guards.abuse { throw fail(.abuse(abuse)) }
            if let error { throw fail(error) }
            if session.backlog > backlogLimit { throw fail(.abuse(.backlog)) }
            offset += piece.count
        }
    }

    @discardableResult
    final func fail(_ error: HTTP2Error) -> HTTP2Error {
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

    /// Moves up to `limit` bytes of the stream's content to the end of `output`, and returns how many.
    ///
    /// Only now do they count as consumed, so that the peer may send as many again.
    public final func takeBody(of stream: Int32, into output: inout ByteQueue, upTo limit: Int) -> Int {
        guard let slot = slot(of: stream) else { return 0 }
        let count = min(limit, slot.received.count)
        guard count > 0 else { return 0 }
        if output.isEmpty, count == slot.received.count {
            swap(&output, &slot.received)
        } else {
            slot.received.move(count, to: &output)
        }
        if slot.incomingEnded { session.consume(count) } else { session.consume(count, of: stream) }
        contentTaken(slot)
        return count
    }

    /// The number of bytes of the stream's content that wait to be taken.
    public final func bufferedBody(of stream: Int32) -> Int {
        slot(of: stream)?.received.count ?? 0
    }

    /// Whether the stream's content came whole and was taken whole.
    public final func isBodyComplete(of stream: Int32) -> Bool {
        guard let slot = slot(of: stream) else { return false }
        return slot.incomingEnded && slot.received.isEmpty
    }

    /// Whether the stream's content came whole, taken or not.
    public final func hasEnded(_ stream: Int32) -> Bool {
        slot(of: stream)?.incomingEnded ?? false
    }

    /// Exchanges the fields that came behind the stream's content for `fields`; false where there are none to take.
    ///
    /// They are there once the end of the content was told. What may not stand behind content (RFC 9110 §6.5.1) was left
    /// out.
    public final func takeTrailers(of stream: Int32, into fields: inout FieldTable) -> Bool {
        guard let slot = slot(of: stream), slot.incomingEnded, slot.trailers.count > 0 else { return false }
        swap(&fields, &slot.trailers)
        slot.trailers.removeAll()
        return true
    }

    // MARK: Output

    /// Copies content into the stream's buffer.
    ///
    /// Content beyond a declared length resets the stream: the peer must not take it for the next thing.
    public final func sendBody(_ bytes: Span<UInt8>, on stream: Int32) {
        guard let slot = sendingSlot(of: stream), !bytes.isEmpty else { return }
        if let declared = slot.declaredBytes {
            guard UInt64(bytes.count) <= declared else { return close(slot, .internalError) }
            slot.declaredBytes = declared - UInt64(bytes.count)
        }
        slot.outgoing.append(bytes)
        resume(slot)
    }

    /// The number of bytes that ``sendBody(_:on:)`` took and that are not framed yet.
    public final func pendingBody(on stream: Int32) -> Int {
        slot(of: stream)?.outgoing.count ?? 0
    }

    /// Ends the content; where a declared length was not reached, the stream is reset instead.
    public final func endBody(on stream: Int32) {
        guard let slot = sendingSlot(of: stream) else { return }
        end(slot)
    }

    /// Ends the content with these fields behind it, those of a connection left out.
    public final func endBody(on stream: Int32, trailers: borrowing FieldTable) {
        guard let slot = sendingSlot(of: stream) else { return }
        if !slot.isTunnel { slot.outgoingTrailers.append(trailers: trailers) }
        end(slot)
    }

    private func end(_ slot: HTTP2Stream) {
        if let missing = slot.declaredBytes, missing > 0 { return close(slot, .internalError) }
        slot.outgoingEnded = true
        resume(slot)
    }

    private func sendingSlot(of stream: Int32) -> HTTP2Stream? {
        guard let slot = slot(of: stream), slot.outgoingBegan, !slot.outgoingEnded, !slot.isClosing else { return nil }
        return slot
    }

    /// Appends frames to `output` until it grew by `bytes` (by a frame more at most) or there are none that may go now.
    public final func send(into output: inout ByteQueue, upTo bytes: Int) {
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
    public final var wantsToSend: Bool { !isBroken && session.wantsOutput }

    /// Whether nothing is left to read or write: close.
    public var isFinished: Bool { isBroken || !session.wantsInput && !session.wantsOutput }

    /// Whether a field section has begun and not ended.
    public final var isInHead: Bool { assembling != nil }

    /// The number of streams that are not closed.
    public final var openStreams: Int { streams.open }

    // MARK: Ends

    /// Ends the exchange at once; no event tells of the stream any more.
    public final func reset(stream: Int32, _ code: HTTP2ErrorCode) {
        guard let slot = streams[stream], !slot.isForgotten else { return }
        slot.isForgotten = true
        drop(slot)
        if slot.isClosed { streams.release(slot) } else { close(slot, code) }
    }

    /// Queues a GOAWAY with that code; once it is sent, the connection ``isFinished`` whatever was under way.
    public final func shutdown(_ code: HTTP2ErrorCode) {
        session.terminate(code)
    }

    /// Gives back memory that only streams need; for connections that fall idle.
    public func releaseMemory() {
        streams.releaseMemory()
        if assembling == nil { trailers.releaseMemory() }
    }
}
