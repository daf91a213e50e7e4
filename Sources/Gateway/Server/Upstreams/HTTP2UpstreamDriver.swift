import Bytes
import Exchange
import HTTP
import HTTP2

/// Speaks HTTP/2 with an upstream: a request a stream.
final class HTTP2UpstreamDriver: UpstreamDriver {
    private let machine: HTTP2ClientConnection
    private var requests: [Int32: UpstreamRequest] = [:]
    private var scratch = ByteQueue()
    /// Whether nothing more can be sent or received.
    private var isLost = false

    init(connection: UpstreamConnection, limits: HTTP2ClientLimits, overTLS: Bool) throws(HTTP2Error) {
        machine = try HTTP2ClientConnection(limits: limits, overTLS: overTLS)
        super.init(connection: connection)
    }

    // MARK: Requests

    /// Before the upstream has said how many requests it takes at a time, it gets one.
    override var canServe: Bool { !isLost && machine.canOpen && (machine.isSettled || requests.isEmpty) }
    override var isSettled: Bool { machine.isSettled }
    override var isIdle: Bool { requests.isEmpty }

    override func serve(_ request: UpstreamRequest) {
        var stream: Int32?
        request.lendHead { stream = machine.open($0, endStream: request.isWhole && $0.framing == .none) }
        guard let stream else {
            request.connection = nil
            return request.failed(.refusedStream)
        }
        requests[stream] = request
        request.stream = stream
        request.hasProgressed = true
        if request.isWhole { endBody(of: request) }
        connection.wantsOutput()
    }

    override func canTakeBody(_ request: UpstreamRequest) -> Bool {
        // Content that a connection took which then fails to open could not be sent to another address.
        if !connection.isOpen || machine.pendingBody(on: request.stream) >= ConnectionDriver.highMark {
            request.isHeldUp = true
        }
        return !request.isHeldUp
    }

    override func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {
        request.hasProgressed = true
        machine.sendBody(bytes, on: request.stream)
        connection.wantsOutput()
    }

    override func endBody(of request: UpstreamRequest, trailers: borrowing FieldTable) {
        guard !request.isSent else { return }
        request.isSent = true
        machine.endBody(on: request.stream, trailers: trailers)
        connection.wantsOutput()
    }

    private func endBody(of request: UpstreamRequest) {
        guard !request.isSent else { return }
        request.isSent = true
        machine.endBody(on: request.stream)
    }

    override func resume(_ request: UpstreamRequest) {
        if request.isStalled { pump(request) }
    }

    override func abandon(_ request: UpstreamRequest) {
        machine.reset(stream: request.stream, .cancel)
        requests[request.stream] = nil
        connection.wantsOutput()
        rest()
    }

    /// The request is answered: what is left of its content is not wanted (RFC 9113 §8.1).
    private func release(_ request: UpstreamRequest) {
        requests[request.stream] = nil
        request.connection = nil
        if !request.isSent { machine.reset(stream: request.stream, .noError) }
        rest()
    }

    private func rest() {
        guard requests.isEmpty else { return connection.place.hasRoom() }
        isLost ? connection.close() : connection.becameIdle()
        connection.place.hasRoom()
    }

    // MARK: The connection

    override func opened() {
        for request in requests.values {
            request.connected()
            wake(request)
        }
        connection.wantsOutput()
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        do throws(HTTP2Error) {
            let wasSettled = machine.isSettled
            try machine.receive(bytes, now: MonotonicTime(nanoseconds: worker.now))
            takeEvents()
            if !wasSettled, machine.isSettled { connection.settled() }
        } catch {
            takeEvents()
            connection.fail(.malformed)
        }
        connection.wantsOutput()
        return bytes.count
    }

    private func takeEvents() {
        while let event = machine.nextEvent() {
            switch event {
            case .response(let stream, let hasBody): answered(stream, hasBody: hasBody)
            case .body(let stream): if let request = requests[stream] { pump(request) }
            case .endOfBody(let stream): if let request = requests[stream] { pump(request) }
            case .writable(let stream): if let request = requests[stream] { wake(request) }
            case .failed(let stream, let failure): failed(stream, failure)
            case .completed: break
            // No more requests fit: what is under way ends as the notice says.
            case .goAway: break
            }
        }
    }

    private func answered(_ stream: Int32, hasBody: Bool) {
        guard let request = requests[stream], machine.takeHead(of: stream, into: &worker.upstreamHead) else { return }
        request.answerBegan = true
        request.hasProgressed = true
        if !hasBody { release(request) }
        request.answered(hasBody: hasBody)
    }

    /// Moves content to its reader, as much as that can take: what stays closes the upstream's window.
    private func pump(_ request: UpstreamRequest) {
        let stream = request.stream
        request.isStalled = request.isBlocked
        while !request.isStalled, machine.bufferedBody(of: stream) > 0 {
            scratch.removeAll()
            guard machine.takeBody(of: stream, into: &scratch, upTo: 64 << 10) > 0 else { break }
            request.hasProgressed = true
            scratch.withReadable { request.received($0) }
            // The reader may be gone.
            guard requests[stream] === request else { return }
            request.isStalled = request.isBlocked
        }
        connection.wantsOutput()
        guard machine.isBodyComplete(of: stream) else { return }
        worker.upstreamTrailers.removeAll()
        _ = machine.takeTrailers(of: stream, into: &worker.upstreamTrailers)
        release(request)
        request.ended()
    }

    private func failed(_ stream: Int32, _ failure: HTTP2ClientConnection.StreamFailure) {
        guard let request = requests.removeValue(forKey: stream) else { return }
        request.connection = nil
        switch failure {
        case .notProcessed: request.failed(.refusedStream)
        case .reset: request.failed(.broken("upstream.reset"))
        case .malformed: request.failed(.malformed)
        }
        rest()
    }

    override func endOfInput() {
        lost(.broken("upstream.truncated"))
    }

    /// Answers that have come whole are still to be read by clients that take their time.
    override func lost(_ failure: UpstreamFailure) {
        isLost = true
        for request in requests.values where !machine.hasEnded(request.stream) {
            requests[request.stream] = nil
            request.connection = nil
            request.failed(failure)
        }
        if requests.isEmpty { connection.fail(failure) }
    }

    override func closed(_ failure: UpstreamFailure) {
        let open = requests
        requests.removeAll()
        for request in open.values {
            request.connection = nil
            request.failed(failure)
        }
    }

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        machine.send(into: &output, upTo: bytes)
        takeEvents()
    }

    override func flushed(backlog: Int) {
        for request in requests.values
        where request.isHeldUp && machine.pendingBody(on: request.stream) < ConnectionDriver.lowMark { wake(request) }
    }

    private func wake(_ request: UpstreamRequest) {
        guard request.isHeldUp, connection.isOpen else { return }
        request.isHeldUp = false
        request.hasProgressed = true
        request.writable()
    }

    override var isFinished: Bool { machine.isFinished }

    // MARK: Time

    override func nextDeadline() -> Int64 {
        var next = Int64.max
        for request in requests.values {
            let isWritten = machine.pendingBody(on: request.stream) == 0
            next = min(next, connection.timeouts.next(of: request, now: worker.now, isWritten: isWritten))
        }
        return next
    }

    override func deadlinePassed() {
        for request in requests.values where request.due <= worker.now {
            machine.reset(stream: request.stream, .cancel)
            requests[request.stream] = nil
            request.connection = nil
            request.failed(.timeout)
        }
        connection.wantsOutput()
        rest()
    }
}
