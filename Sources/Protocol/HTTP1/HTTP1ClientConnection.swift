public import Bytes
public import HTTP

/// The client's side of one HTTP/1.1 connection to an upstream (RFC 9112): canonical on output, strict on input, no I/O.
///
/// One request at a time. An answer that breaks a rule ends the exchange and the connection: what it said cannot leak
/// into the next exchange.
public struct HTTP1ClientConnection: ~Copyable {
    /// What the bytes that were handed in amount to.
    public enum Input: Equatable, Sendable {
        /// Take `consumed` bytes off and come again with more behind the rest.
        case needMore(consumed: Int)
        /// An interim (1xx) answer was swallowed; the final one is still to come.
        case informational(consumed: Int)
        /// The head of the answer was filled; without content, the answer is complete.
        case response(consumed: Int, hasBody: Bool)
        /// Content of the answer lies at `offset` and has `count` bytes, never none; take `consumed` off afterwards.
        case body(offset: Int, count: Int, consumed: Int)
        /// The content of the answer has ended.
        case endOfBody(consumed: Int)
        /// The head of a 101 was filled: the connection belongs to the protocol that the request asked for.
        case switched(consumed: Int)
        /// Bytes of that protocol lie at `offset`; take `consumed` off afterwards.
        case tunnel(offset: Int, count: Int, consumed: Int)
        /// The answer breaks a rule: give it up and close.
        case malformed(MessageFault)
        /// There are bytes that no request asked for: never use the connection again.
        case unexpected
    }

    /// What it means that the upstream closed the connection.
    public enum End: Equatable, Sendable {
        /// The answer was delimited by the close and is complete.
        case complete
        /// The answer is not whole.
        case truncated
        /// No answer was under way.
        case idle
        /// The other protocol's bytes from the upstream have ended: those to it may go on.
        case tunnel
    }

    private enum Reading: Equatable {
        case idle, head, body, closed, tunnel
        case malformed(MessageFault)
    }

    private let limits: HeadLimits
    private var scanner: HeadScanner
    private var line: StatusLine?
    private var decoder = BodyDecoder()
    private var outgoing: OutgoingBody?
    private var reading = Reading.idle
    private var isHEAD = false
    private var keepsAlive = true
    private var interimBytes = 0
    /// The protocol that the request asks to change to.
    private var wanted = ByteQueue()

    /// Makes the machine of a fresh connection.
    ///
    /// - Parameter limits: of answers' heads, and of trailers and chunk extensions; all interim answers to one request
    ///   together may take `bytes` too.
    public init(limits: HeadLimits) {
        self.limits = limits
        scanner = HeadScanner(limits: limits, longStartLine: .statusLine, badStartLine: .statusLine)
    }

    /// Whether another request may be sent: nothing is under way, and both sides keep the connection open.
    ///
    /// Bytes that are left over must be handed to ``input(_:head:)``, which makes this false.
    public var isReusable: Bool { reading == .idle && outgoing == nil && keepsAlive }

    /// Whether the connection was given over to another protocol: the driver then writes to it what it likes.
    public var isTunnel: Bool { reading == .tunnel }

    /// Whether anything of an answer to the current request was seen.
    ///
    /// Where the upstream closes before, it may have closed an idle connection without having read the request.
    public var hasBegunAnswer: Bool { reading != .head || scanner.scanned > 0 || interimBytes > 0 }

    // MARK: Output

    /// Writes the head of a request: target in origin-form or `*`, `host` first, framed as `head.framing` says.
    ///
    /// The fields `host`, `connection`, `keep-alive`, `transfer-encoding`, `content-length`, `upgrade`, `te` and `expect` of the
    /// head are never copied: content follows without being asked for. Where `head.upgrade` of a `GET` without content names
    /// a protocol, the request asks to change to it; else where `head.acceptsTrailers`, it says so (RFC 9110 §10.1.4).
    public mutating func sendHead(_ head: borrowing RequestHead, into output: inout ByteQueue) {
        precondition(isReusable, "one request at a time")
        isHEAD = head.method.readable.equals("HEAD")
        interimBytes = 0
        decoder = BodyDecoder()
        reading = .head
        wanted.removeAll()
        output.append(head.method.readable)
        output.append(UInt8(ascii: " "))
        output.append(head.target.readable)
        output.append(" HTTP/1.1\r\nhost: ")
        output.append(head.authority.readable)
        output.append("\r\n")
        output.append(fields: head.fields, isRequest: true)
        switch head.framing {
        case .none:
            if Self.anticipatesContent(head.method.readable) { output.append(contentLength: 0) }
            if head.method.readable.equals("GET"), ByteSet.token.holdsAll(of: head.upgrade.readable) {
                wanted.append(head.upgrade.readable)
            }
            outgoing = nil
        case .length(let length):
            output.append(contentLength: length)
            outgoing = .length(length)
        case .streamed, .untilClose:
            output.append("transfer-encoding: chunked\r\n")
            outgoing = .chunked
        }
        if !wanted.isEmpty {
            output.append("connection: upgrade\r\nupgrade: ")
            output.append(wanted.readable)
            output.append("\r\n")
        } else if head.acceptsTrailers {
            output.append("connection: te\r\nte: trailers\r\n")
        }
        output.append("\r\n")
    }

    /// Writes content of the request; nothing where it has none.
    public mutating func sendBody(_ bytes: Span<UInt8>, into output: inout ByteQueue) {
        guard var body = outgoing else { return }
        if !body.write(bytes, into: &output) { keepsAlive = false }
        outgoing = body
    }

    /// Ends the request; where its content fell short of the declared length, the connection cannot be used again.
    public mutating func endBody(into output: inout ByteQueue) {
        guard let body = outgoing else { return }
        if !body.end(into: &output) { keepsAlive = false }
        outgoing = nil
    }

    /// Ends the request as ``endBody(into:)`` does, with trailers where it is chunked.
    ///
    /// Such a request is the connection's last: there are servers that take its trailers for fields of the request behind
    /// it, which may be somebody else's.
    public mutating func endBody(trailers: borrowing FieldTable, into output: inout ByteQueue) {
        guard let body = outgoing else { return }
        let hasTrailers = body == .chunked && trailers.count > 0
        if !body.end(trailers: trailers, into: &output) || hasTrailers { keepsAlive = false }
        outgoing = nil
    }

    /// Whether a request of that method without content says so (RFC 9110 §8.6).
    private static func anticipatesContent(_ method: Span<UInt8>) -> Bool {
        method.equals("POST") || method.equals("PUT") || method.equals("PATCH")
    }

    // MARK: Input

    /// Takes in what arrived: `bytes` begin where the last call stopped consuming.
    public mutating func input(_ bytes: Span<UInt8>, head: inout ResponseHead) -> Input {
        switch reading {
        case .idle, .closed:
            guard !bytes.isEmpty else { return .needMore(consumed: 0) }
            keepsAlive = false
            return .unexpected
        case .head: return readHead(bytes, into: &head)
        case .body: return readBody(bytes)
        case .tunnel:
            guard !bytes.isEmpty else { return .needMore(consumed: 0) }
            return .tunnel(offset: 0, count: bytes.count, consumed: bytes.count)
        case .malformed(let fault): return .malformed(fault)
        }
    }

    /// Takes note that the upstream closed the connection, after all that it sent was handed in.
    public mutating func endOfInput() -> End {
        keepsAlive = false
        switch reading {
        case .idle, .closed:
            reading = .closed
            return .idle
        case .body where decoder.endsWithConnection:
            reading = .closed
            return .complete
        case .tunnel: return .tunnel
        case .head, .body, .malformed:
            reading = .malformed(.truncated)
            return .truncated
        }
    }

    /// Hands out the trailers of the content that has just ended, before the next request is sent.
    ///
    /// Those that ``TrailerRules`` does not allow are left out.
    ///
    /// - Parameter trailers: is emptied and filled.
    /// - Returns: whether there are any.
    public mutating func takeTrailers(into trailers: inout FieldTable) -> Bool {
        defer { decoder = BodyDecoder() }
        return decoder.takeTrailers(into: &trailers)
    }

    private mutating func refuse(_ fault: MessageFault) -> Input {
        keepsAlive = false
        reading = .malformed(fault)
        return .malformed(fault)
    }

    private mutating func readHead(_ bytes: Span<UInt8>, into head: inout ResponseHead) -> Input {
        do throws(MessageFault) {
            while true {
                switch scanner.scan(bytes) {
                case .needMore: return .needMore(consumed: 0)
                case .fault(let fault): throw fault
                case .startLine(let end): line = try StatusLine(bytes.extracting(0..<end))
                case .head(let fields, let end):
                    guard let line else { throw .statusLine }
                    return try takeHead(line, bytes, fields: fields, end: end, into: &head)
                }
            }
        } catch {
            return refuse(error)
        }
    }

    private mutating func takeHead(
        _ line: StatusLine, _ bytes: Span<UInt8>, fields: Int, end: Int, into head: inout ResponseHead
    ) throws(MessageFault) -> Input {
        let framingFields = try head.fill(
            line, from: bytes, fieldsAt: fields, lineEnds: scanner.lineEnds, toHEAD: isHEAD,
            wanting: wanted.readable)
        scanner.reset()
        self.line = nil
        if line.status == 101 {
            keepsAlive = false
            reading = .tunnel
            return .switched(consumed: end)
        }
        if line.status < 200 {
            interimBytes += end
            guard interimBytes <= limits.bytes else { throw .fieldsTooLarge }
            return .informational(consumed: end)
        }
        if line.version == .http10 || !framingFields.keepsAlive(line.version) { keepsAlive = false }
        let hasBody = !isHEAD && line.status != 204 && line.status != 304 && head.framing != .none
        if head.framing == .untilClose { keepsAlive = false }
        if hasBody { decoder = BodyDecoder(head.framing, limits: limits, bodyLimit: 0) }
        reading = hasBody ? .body : .idle
        return .response(consumed: end, hasBody: hasBody)
    }

    private mutating func readBody(_ bytes: Span<UInt8>) -> Input {
        switch decoder.next(bytes) {
        case .needMore(let consumed): return .needMore(consumed: consumed)
        case .body(let offset, let count, let consumed): return .body(offset: offset, count: count, consumed: consumed)
        case .fault(let fault): return refuse(fault)
        case .end(let consumed):
            reading = .idle
            return .endOfBody(consumed: consumed)
        }
    }
}
