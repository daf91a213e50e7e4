import Bytes
import HTTP
import HTTP1
import Identity
import Reactor
import TLS

/// An operator's connection: bytes in, requests out, answers back; it decides nothing.
final class AdminConnection {
    /// The most bytes of content of a request.
    static let longestBody = 64 << 10
    private static let limits = HeadLimits(bytes: 16 << 10, count: 64)
    /// How much may wait behind a request that is not answered yet, or be read before others get their turn.
    private static let (longestBacklog, batch) = (128 << 10, 4)

    /// What has come.
    enum Step {
        /// Not a whole request.
        case nothing
        case request(AdminMessage)
        /// Something that is no request: answer so, and close.
        case fault(AdminRefusal)
    }

    private enum Phase {
        case handshake, serving
        /// The last answer is written: what still comes is dropped, so that it can be read.
        case lingering
        case over
    }

    let socket: Socket
    /// Where it comes from, for logs.
    let address: String
    /// TLS, over TCP; nothing over a Unix socket.
    private let session: TLSSession?
    private let wire: TLSWire
    /// Its place among the server's connections.
    var key = SlotKey(rawValue: 0)
    /// Who it is, once that is known.
    var actor: AdminActor?
    /// The certificate's owner, over TCP.
    var peer: VerifiedPeer?
    /// The exchange whose answer is owed.
    var exchange: UInt64?
    /// When it has waited enough, in monotonic nanoseconds.
    var deadline: Int64
    /// Whether the server is busy with it, further up the stack.
    var isBusy = false

    private var machine = HTTP1ServerConnection(limits: limits, bodyLimit: UInt64(longestBody))
    private var head = RequestHead()
    private var message: AdminMessage?
    private var phase: Phase
    private var inbound = ByteQueue()
    private var outbound = ByteQueue()
    private var sawEnd = false
    /// Whether any byte has come.
    private(set) var hasSpoken = false
    /// Whether the kernel may have bytes that it will not report again.
    private var hasMore = false
    /// Whether no request is read any more.
    private var isLast = false
    private var saidLast = false
    private var refusal: String?

    /// Takes a socket over.
    ///
    /// - Parameter context: that of TLS; nothing: there is none.
    init(
        _ socket: consuming Socket, address: String, context: TLSContext?, wire: TLSWire, deadline: Int64
    ) throws(TLSError) {
        self.socket = consume socket
        self.address = address
        self.wire = wire
        session = if let context { try TLSSession(server: context, wire: wire) } else { nil }
        phase = context == nil ? .serving : .handshake
        self.deadline = deadline
    }

    /// Whether there is nothing more to do but to close it.
    var isOver: Bool { phase == .over }

    /// Whether the next request may be read.
    var isListening: Bool { phase == .serving && exchange == nil && !isLast && outbound.isEmpty }

    /// Whether nothing is under way that anybody waits for.
    var isIdle: Bool { phase != .serving || (exchange == nil && message == nil && machine.isIdle && inbound.isEmpty) }

    /// Whether it only waits for its peer to have read the last words.
    var isLingering: Bool { phase == .lingering }

    // MARK: Input

    /// Reads what there is, as far as there is room for it and others get their turn; ``hasMore`` tells whether to come again.
    ///
    /// - Returns: the session, where its handshake has ended well in this call; the caller says who it is.
    func receive(_ buffer: ReceiveBuffer, now: UnixTime) -> TLSSession? {
        var established: TLSSession?
        var reads = 0
        hasMore = true
        while phase != .over, !sawEnd, reads < Self.batch, inbound.count < Self.longestBacklog {
            reads += 1
            switch buffer.read(from: socket) {
            case .moved(let count):
                hasSpoken = true
                if buffer.with(count, { take($0, now: now) }) { established = session }
            case .wouldBlock:
                hasMore = false
                return established
            case .ended: sawEnd = true
            case .failed: phase = .over
            }
        }
        return established
    }

    /// Whether there is something to read, and room for it.
    var canReadOn: Bool { hasMore && phase != .over && !sawEnd && inbound.count < Self.longestBacklog }

    /// Takes bytes of the socket; true where they end the handshake.
    private func take(_ bytes: Span<UInt8>, now: UnixTime) -> Bool {
        guard phase != .lingering else { return false }
        guard let session else {
            inbound.append(bytes)
            return false
        }
        var plaintext = ByteQueue()
        let outcome = session.receive(bytes, now: now, into: &plaintext)
        takeWire()
        inbound.append(plaintext)
        let hasEstablished = phase == .handshake && session.isEstablished
        if hasEstablished { phase = .serving }
        switch outcome {
        case .proceeded, .established: break
        case .ended: sawEnd = true
        case .failed(let error):
            if phase == .handshake {
                refusal =
                    session.refusal?.reason ?? (error.isMissingCertificate ? "certificate.missing" : "handshake.failed")
            }
            // The alert goes out first.
            phase = .lingering
        }
        return hasEstablished
    }

    /// The next request, as far as it has come; first the answer to the last one must be on its way.
    func next() -> Step {
        flush()
        var bytes = ByteQueue()
        swap(&bytes, &inbound)
        defer { swap(&bytes, &inbound) }
        while isListening {
            switch machine.input(bytes.readable, head: &head) {
            case .needMore(let consumed):
                bytes.consume(consumed)
                return .nothing
            case .request(let consumed, let hasBody):
                bytes.consume(consumed)
                let begun = AdminMessage(head)
                guard hasBody else { return .request(begun) }
                message = begun
                askForContent()
            case .body(let offset, let count, let consumed):
                message?.body += Array(copying: bytes.readable.extracting(offset..<offset + count))
                bytes.consume(consumed)
            case .endOfBody(let consumed):
                bytes.consume(consumed)
                guard let whole = message.take() else { return .nothing }
                return .request(whole)
            case .waiting, .tunnel:
                return .nothing
            case .refused(let fault):
                return .fault(AdminRefusal(fault))
            }
        }
        return .nothing
    }

    /// Why the handshake failed, where it did; told once.
    func takeRefusal() -> String? {
        refusal.take()
    }

    private func askForContent() {
        var plaintext = ByteQueue()
        machine.sendContinue(into: &plaintext)
        write(plaintext)
        flush()
    }

    // MARK: Output

    /// Writes an answer down; it goes out with ``flush()``.
    func send(_ response: AdminResponse, isLast: Bool) {
        exchange = nil
        message = nil
        var answer = ResponseHead()
        answer.status = response.status
        answer.framing = response.body.isEmpty ? .none : .length(UInt64(response.body.count))
        if !response.body.isEmpty { answer.fields.append(.contentType, value: response.contentType.utf8.span) }
        answer.fields.append(.cacheControl, value: "no-store".utf8.span)
        if let location = response.location { answer.fields.append(literal: "location", value: location.utf8.span) }
        if let methods = response.allowedMethods { answer.fields.append(literal: "allow", value: methods.utf8.span) }
        if isLast || self.isLast { machine.closeAfterAnswer() }
        var plaintext = ByteQueue()
        machine.sendHead(answer, into: &plaintext)
        if !response.body.isEmpty { machine.sendBody(response.body.span, into: &plaintext) }
        machine.endBody(into: &plaintext)
        self.isLast = machine.afterAnswer != .readNext
        write(plaintext)
    }

    private func write(_ plaintext: borrowing ByteQueue) {
        guard let session else { return outbound.append(plaintext) }
        if !session.send(plaintext.readable) { phase = .over }
        takeWire()
    }

    /// Writes what waits, as far as the socket takes it.
    private func flush() {
        while !outbound.isEmpty, phase != .over {
            switch outbound.withReadable({ socket.write($0) }) {
            case .moved(let count): outbound.consume(count)
            case .wouldBlock: return
            case .ended, .failed: phase = .over
            }
        }
    }

    /// Writes what waits, and goes on to the end where there is nothing else to do; called when ``next()`` gives nothing.
    func settle() {
        flush()
        guard outbound.isEmpty else { return }
        switch phase {
        case .handshake:
            if sawEnd { phase = .over }
        case .serving where isLast && exchange == nil:
            phase = .lingering
            session?.close()
            takeWire()
            settle()
        case .serving:
            if sawEnd, exchange == nil { phase = .over }
        case .lingering:
            if !saidLast { socket.shutdownWriting() }
            saidLast = true
            if sawEnd { phase = .over }
        case .over: break
        }
    }

    /// Ends it as soon as nobody is owed an answer, with ``settle()``.
    func hangUp() {
        isLast = true
        if phase == .handshake { phase = .over }
    }

    /// Moves what TLS has produced to what is to be written: the wire is all connections'.
    private func takeWire() {
        wire.output.withReadable { outbound.append($0) }
        wire.output.removeAll()
    }
}

extension AdminRefusal {
    /// The answer to bytes that are no request.
    fileprivate init(_ fault: MessageFault) {
        let status: UInt16 =
            switch fault {
            case .contentTooLarge: 413
            case .targetTooLong: 414
            case .expectation: 417
            case .fieldsTooLarge, .tooManyFields: 431
            default: 400
            }
        self.init(
            status: status, code: "malformed-request",
            detail: "the request cannot be taken as it came (\(fault.rawValue)); mend it")
    }
}
