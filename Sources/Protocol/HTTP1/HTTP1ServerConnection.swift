public import Bytes
public import HTTP

/// The server's side of one HTTP/1 connection (RFC 9112): strict on input, canonical on output, without I/O.
///
/// The driver hands in what arrived and gets one ``Input`` at a time; it drops the bytes that were consumed and calls
/// again, with no new bytes too, until it is told ``Input/needMore(consumed:)`` or ``Input/waiting``. Requests are answered
/// in their order: the next one is read only when the answer to this one has ended.
public struct HTTP1ServerConnection: ~Copyable {
    /// What the bytes that were handed in amount to.
    public enum Input: Equatable, Sendable {
        /// Take `consumed` bytes off and come again with more behind the rest.
        case needMore(consumed: Int)
        /// The head of a request was filled; without content, the request is complete.
        case request(consumed: Int, hasBody: Bool)
        /// Content of the request lies at `offset` and has `count` bytes, never none; take `consumed` off afterwards.
        case body(offset: Int, count: Int, consumed: Int)
        /// The content of the request has ended.
        case endOfBody(consumed: Int)
        /// Bytes of the protocol that the connection was switched to lie at `offset`; take `consumed` off afterwards.
        case tunnel(offset: Int, count: Int, consumed: Int)
        /// The answer to the current request is not finished, or was the last: bytes stay with the caller.
        case waiting
        /// Answer, then close; nothing after this is read. The head holds what was understood.
        case refused(MessageFault)
    }

    /// What it means that the peer closed its sending side.
    public enum End: Equatable, Sendable {
        /// There is no request under way: close.
        case idle
        /// The request is complete and its answer is owed: send it, then close.
        case answerOwed
        /// The peer left in the middle of a request, which must not be taken for whole.
        case truncated
        /// The other protocol's bytes from the client have ended: those to the client may go on.
        case tunnel
    }

    /// What to do when the answer has ended.
    public enum AfterAnswer: Equatable, Sendable {
        /// Read the next request.
        case readNext
        /// Send what is in the output, then close, lingering for what the client still sends.
        case close
        /// The answer ended before the request's content did: keep decoding it and throw it away.
        case finishRequestBody
    }

    private enum Reading: Equatable {
        case head, body, complete, closed, tunnel
        case refused(MessageFault)
    }

    private enum Writing {
        case nothing, headOwed, body, complete
    }

    private let limits: HeadLimits
    private let bodyLimit: UInt64
    private var scanner: HeadScanner
    private var line: RequestLine?
    private var decoder = BodyDecoder()
    private var outgoing = OutgoingBody.suppressed
    private var reading = Reading.head
    private var writing = Writing.nothing
    private var version = HTTPVersion.http11
    private var isHEAD = false
    private var offersUpgrade = false
    private var acceptsTrailers = false
    private var mayContinue = false
    private var skippedEmptyLine = false
    private var closes = false

    /// Makes the machine of a fresh connection.
    ///
    /// - Parameters:
    ///   - limits: of request heads, and of trailers and chunk extensions.
    ///   - bodyLimit: the most bytes of content of one request; 0: no limit.
    public init(limits: HeadLimits, bodyLimit: UInt64) {
        self.limits = limits
        self.bodyLimit = bodyLimit
        scanner = HeadScanner(limits: limits, longStartLine: .targetTooLong, badStartLine: .requestLine)
    }

    /// Whether the connection is between requests and nothing of the next one was seen.
    public var isIdle: Bool { reading == .head && scanner.scanned == 0 }

    /// Whether the head of the answer to the current request was sent: a refusal can then only cut the connection.
    public var hasSentHead: Bool { writing == .body || writing == .complete }

    /// Whether the connection was given over to another protocol: the driver then writes to it what it likes.
    public var isTunnel: Bool { reading == .tunnel }

    /// What to do now that the answer has ended; before its end, what there would be to do if it had.
    public var afterAnswer: AfterAnswer {
        if closes { return .close }
        return reading == .body ? .finishRequestBody : .readNext
    }

    /// Makes the current answer, or the next, the last one; its head will say so unless it was sent.
    ///
    /// For draining, and for refusing a request whose content is not worth reading to its end.
    public mutating func closeAfterAnswer() {
        closes = true
    }

    // MARK: Input

    /// Takes in what arrived: `bytes` begin where the last call stopped consuming.
    public mutating func input(_ bytes: Span<UInt8>, head: inout RequestHead) -> Input {
        switch reading {
        case .head: return readHead(bytes, into: &head)
        case .body: return readBody(bytes)
        case .complete, .closed: return .waiting
        case .tunnel:
            guard !bytes.isEmpty else { return .needMore(consumed: 0) }
            return .tunnel(offset: 0, count: bytes.count, consumed: bytes.count)
        case .refused(let fault): return .refused(fault)
        }
    }

    /// Takes note that the peer closed its sending side; call it when ``input(_:head:)`` can do nothing with what is left.
    public mutating func endOfInput() -> End {
        switch reading {
        case .head where scanner.scanned == 0, .closed:
            closes = true
            reading = .closed
            return .idle
        case .complete: return .answerOwed
        case .tunnel: return .tunnel
        case .head, .body, .refused:
            _ = refuse(.truncated)
            return .truncated
        }
    }

    /// Hands out the trailers of the content that has just ended, before any more input is taken in.
    ///
    /// Those that ``TrailerRules`` does not allow are left out.
    ///
    /// - Parameter trailers: is emptied and filled.
    /// - Returns: whether there are any.
    public mutating func takeTrailers(into trailers: inout FieldTable) -> Bool {
        decoder.takeTrailers(into: &trailers)
    }

    private mutating func refuse(_ fault: MessageFault) -> Input {
        closes = true
        if writing == .nothing { writing = .headOwed }
        reading = .refused(fault)
        return .refused(fault)
    }

    private mutating func readHead(_ bytes: Span<UInt8>, into head: inout RequestHead) -> Input {
        var skipped = 0
        if scanner.scanned == 0, !skippedEmptyLine, !bytes.isEmpty, bytes[0] == UInt8(ascii: "\r") {
            // RFC 9112 §2.2: one empty line before a request line is forgiven.
            guard bytes.count > 1 else { return .needMore(consumed: 0) }
            guard bytes[1] == UInt8(ascii: "\n") else { return refuse(.lineEnding) }
            skippedEmptyLine = true
            skipped = 2
        }
        return scanHead(bytes.extracting(skipped...), skipped: skipped, into: &head)
    }

    private mutating func scanHead(_ bytes: Span<UInt8>, skipped: Int, into head: inout RequestHead) -> Input {
        while true {
            switch scanner.scan(bytes) {
            case .needMore: return .needMore(consumed: skipped)
            case .fault(let fault): return refuse(fault)
            case .startLine(let end):
                do throws(MessageFault) {
                    try takeLine(bytes.extracting(0..<end))
                } catch {
                    return refuse(error)
                }
            case .head(let fields, let end):
                return takeHead(bytes, fields: fields, end: end, skipped: skipped, into: &head)
            }
        }
    }

    private mutating func takeLine(_ bytes: Span<UInt8>) throws(MessageFault) {
        let line = try RequestLine(bytes)
        version = line.version
        isHEAD = bytes.extracting(line.method.offsets).equals("HEAD")
        self.line = line
    }

    private mutating func takeHead(
        _ bytes: Span<UInt8>, fields: Int, end: Int, skipped: Int, into head: inout RequestHead
    ) -> Input {
        guard let line else { return refuse(.requestLine) }
        do throws(MessageFault) {
            try head.fill(line, from: bytes, fieldsAt: fields, lineEnds: scanner.lineEnds)
        } catch {
            return refuse(error)
        }
        if case .length(let length) = head.framing, bodyLimit > 0, length > bodyLimit {
            return refuse(.contentTooLarge)
        }
        scanner.reset()
        skippedEmptyLine = false
        if !head.keepsAlive { closes = true }
        mayContinue = head.expectsContinue
        offersUpgrade = !head.upgrade.isEmpty
        acceptsTrailers = head.acceptsTrailers
        writing = .headOwed
        decoder = BodyDecoder(head.framing, limits: limits, bodyLimit: bodyLimit)
        reading = head.framing == .none ? .complete : .body
        return .request(consumed: skipped + end, hasBody: head.framing != .none)
    }

    private mutating func readBody(_ bytes: Span<UInt8>) -> Input {
        if !bytes.isEmpty { mayContinue = false }
        switch decoder.next(bytes) {
        case .needMore(let consumed): return .needMore(consumed: consumed)
        case .body(let offset, let count, let consumed): return .body(offset: offset, count: count, consumed: consumed)
        case .fault(let fault): return refuse(fault)
        case .end(let consumed):
            reading = .complete
            finishExchange()
            return .endOfBody(consumed: consumed)
        }
    }

    // MARK: Output

    /// Asks for the content of a request that waits for that; writes nothing where it is not awaited (any more).
    public mutating func sendContinue(into output: inout ByteQueue) {
        guard mayContinue, writing == .headOwed else { return }
        mayContinue = false
        output.append("HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Writes the head of the answer, framed by what `head.framing` says is known of the content's length.
    ///
    /// An interim (1xx) head leaves the final one owed, and is left out where the client speaks HTTP/1.0. For the answer to
    /// HEAD and for a 304 the framing says what the content would be; none is sent. The fields `connection`,
    /// `keep-alive`, `transfer-encoding`, `content-length` and `upgrade` of the head are never copied.
    ///
    /// A client that still waits for a 100 when the final head is sent may or may not send its content: the connection
    /// ends after the answer.
    public mutating func sendHead(_ head: borrowing ResponseHead, into output: inout ByteQueue) {
        precondition(writing == .headOwed || writing == .nothing, "an answer has one head")
        precondition(head.status != 101, "protocols are switched otherwise")
        if head.status < 200 {
            if version == .http11 { writeHead(head, into: &output) }
            return
        }
        if mayContinue || writing == .nothing { closes = true }
        chooseFraming(head)
        writeHead(head, into: &output)
        writing = .body
    }

    /// Writes the 101 (Switching Protocols) that gives the connection over to the protocol in `head.upgrade`.
    ///
    /// Only for a request whose head asked for that. Everything that arrives from then on, behind the request too, is
    /// ``Input/tunnel(offset:count:consumed:)``.
    public mutating func switchProtocols(_ head: borrowing ResponseHead, into output: inout ByteQueue) {
        precondition(writing == .headOwed && reading == .complete && offersUpgrade, "no other protocol was asked for")
        output.append("HTTP/1.1 101 Switching Protocols\r\n")
        output.append(fields: head.fields, isRequest: false)
        output.append("connection: upgrade\r\nupgrade: ")
        output.append(head.upgrade.readable)
        output.append("\r\n\r\n")
        writing = .complete
        reading = .tunnel
        closes = true
    }

    /// Writes content of the answer.
    public mutating func sendBody(_ bytes: Span<UInt8>, into output: inout ByteQueue) {
        precondition(writing == .body, "content follows a head")
        if !outgoing.write(bytes, into: &output) { closes = true }
    }

    /// Ends the answer; where its content fell short of the declared length, the connection ends with it.
    public mutating func endBody(into output: inout ByteQueue) {
        finishAnswer(isWhole: outgoing.end(into: &output))
    }

    /// Ends the answer as ``endBody(into:)`` does, with trailers where it is chunked and the client takes them.
    public mutating func endBody(trailers: borrowing FieldTable, into output: inout ByteQueue) {
        guard acceptsTrailers else { return endBody(into: &output) }
        finishAnswer(isWhole: outgoing.end(trailers: trailers, into: &output))
    }

    private mutating func finishAnswer(isWhole: Bool) {
        precondition(writing == .body, "content follows a head")
        if !isWhole { closes = true }
        writing = .complete
        finishExchange()
    }

    private mutating func chooseFraming(_ head: borrowing ResponseHead) {
        guard !isHEAD, head.status != 204, head.status != 304 else {
            outgoing = .suppressed
            return
        }
        switch head.framing {
        case .none: outgoing = .length(0)
        case .length(let length): outgoing = .length(length)
        case .streamed, .untilClose:
            outgoing = version == .http11 ? .chunked : .untilClose
            if version == .http10 { closes = true }
        }
    }

    private func writeHead(_ head: borrowing ResponseHead, into output: inout ByteQueue) {
        output.append("HTTP/1.1 ")
        output.append(decimal: UInt64(head.status))
        output.append(UInt8(ascii: " "))
        output.append(ReasonPhrase.text(head.status))
        output.append("\r\n")
        output.append(fields: head.fields, isRequest: false)
        if head.status >= 200 {
            writeFraming(head, into: &output)
            if closes {
                output.append("connection: close\r\n")
            } else if version == .http10 {
                output.append("connection: keep-alive\r\n")
            }
        }
        output.append("\r\n")
    }

    private func writeFraming(_ head: borrowing ResponseHead, into output: inout ByteQueue) {
        switch outgoing {
        case .suppressed:
            if head.status != 204, case .length(let length) = head.framing { output.append(contentLength: length) }
        case .length(let length): output.append(contentLength: length)
        case .chunked: output.append("transfer-encoding: chunked\r\n")
        case .untilClose: break
        }
    }

    private mutating func finishExchange() {
        guard reading == .complete, writing == .complete else { return }
        line = nil
        version = .http11
        isHEAD = false
        mayContinue = false
        offersUpgrade = false
        acceptsTrailers = false
        decoder = BodyDecoder()
        writing = .nothing
        reading = closes ? .closed : .head
    }
}
