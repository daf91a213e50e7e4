import Bytes
import Configuration
import HTTP
import HTTP1

/// Speaks HTTP/1.1 with an upstream: one request at a time.
final class HTTP1UpstreamDriver: UpstreamDriver {
    private var machine: HTTP1ClientConnection
    private var request: UpstreamRequest?
    private var served = 0
    private var output = ByteQueue()
    private var backlog = 0
    private var isOver = false
    /// Whether the client's end of a switched connection was passed on.
    private var saidLast = false

    init(connection: UpstreamConnection, limits: HeadLimits) {
        machine = HTTP1ClientConnection(limits: limits)
        super.init(connection: connection)
    }

    // MARK: Requests

    override var canServe: Bool { request == nil && !isOver && machine.isReusable }
    override var isIdle: Bool { request == nil }

    override func serve(_ request: UpstreamRequest) {
        self.request = request
        request.isOnReusedConnection = served > 0
        request.lendHead { machine.sendHead($0, into: &output) }
        if request.isWhole {
            request.isSent = true
            machine.endBody(into: &output)
        }
        connection.wantsOutput()
    }

    override func canTakeBody(_ request: UpstreamRequest) -> Bool {
        // Content that a connection took which then fails to open could not be sent to another address; and what belongs to
        // another protocol waits until the upstream has agreed to it.
        if !connection.isOpen || request.isUpgrade && !request.isSwitched
            || output.count + backlog >= ConnectionDriver.highMark
        {
            request.isHeldUp = true
        }
        return !request.isHeldUp
    }

    override func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {
        request.hasProgressed = true
        if request.isSwitched { output.append(bytes) } else { machine.sendBody(bytes, into: &output) }
        connection.wantsOutput()
    }

    override func endBody(of request: UpstreamRequest, trailers: borrowing FieldTable) {
        guard !request.isSent else { return }
        request.isSent = true
        if !request.isSwitched { machine.endBody(trailers: trailers, into: &output) }
        connection.wantsOutput()
    }

    override func resume(_ request: UpstreamRequest) {
        if request.isStalled { connection.wantsOutput() }
    }

    override func abandon(_ request: UpstreamRequest) {
        self.request = nil
        isOver = true
        connection.close()
    }

    private func release() -> UpstreamRequest? {
        let request = request.take()
        request?.connection = nil
        served += 1
        let isWholeRequest = request?.isSent ?? true
        if machine.isReusable, isWholeRequest, request?.isSwitched != true, output.isEmpty, backlog == 0 {
            connection.becameIdle()
        } else {
            isOver = true
            connection.close()
        }
        return request
    }

    // MARK: The connection

    override func opened() {
        request?.connected()
        wake()
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        // Ends when the machine wants more: the end of content may come without a byte of its own.
        while !isOver {
            let rest = bytes.extracting(offset..<bytes.count)
            switch machine.input(rest, head: &worker.upstreamHead) {
            case .needMore(let consumed):
                if machine.hasBegunAnswer { request?.answerBegan = true }
                return offset + consumed
            case .informational(let consumed):
                request?.answerBegan = true
                offset += consumed
            case .response(let consumed, let hasBody):
                offset += consumed
                answered(hasBody: hasBody)
            case .body(let start, let count, let consumed):
                request?.received(rest.extracting(start..<start + count))
                offset += consumed
            case .endOfBody(let consumed):
                offset += consumed
                worker.upstreamTrailers.removeAll()
                _ = machine.takeTrailers(into: &worker.upstreamTrailers)
                release()?.ended()
            case .switched(let consumed):
                offset += consumed
                switched()
            case .tunnel(let start, let count, let consumed):
                request?.received(rest.extracting(start..<start + count))
                offset += consumed
            case .malformed:
                connection.fail(.malformed)
                return bytes.count
            case .unexpected:
                connection.fail(.broken("upstream.unexpected"))
                return bytes.count
            }
        }
        return offset
    }

    private func answered(hasBody: Bool) {
        request?.answerBegan = true
        guard hasBody else {
            let request = release()
            request?.answered(hasBody: false)
            return
        }
        request?.answered(hasBody: true)
    }

    private func switched() {
        guard let request else { return }
        request.answerBegan = true
        request.isSwitched = true
        // What the client sends now is no part of the request that was sent whole.
        request.isSent = false
        request.switched()
        wake()
    }

    override func endOfInput() {
        switch machine.endOfInput() {
        case .complete, .tunnel:
            worker.upstreamTrailers.removeAll()
            release()?.ended()
        case .truncated:
            connection.fail(.broken("upstream.truncated"))
        case .idle:
            // A request that waits here was not answered by a byte.
            connection.fail(.broken("upstream.truncated"))
        }
    }

    override func closed(_ failure: UpstreamFailure) {
        isOver = true
        guard let request = request.take() else { return }
        request.connection = nil
        request.failed(failure)
    }

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        guard !self.output.isEmpty else { return }
        guard output.isEmpty else {
            output.append(self.output)
            return self.output.removeAll()
        }
        swap(&output, &self.output)
        if self.output.capacity > 4096 { self.output.releaseStorage() }
    }

    override func flushed(backlog: Int) {
        self.backlog = backlog
        if let request, request.isSwitched, request.isSent, output.isEmpty, backlog == 0, !saidLast {
            saidLast = true
            connection.sayLast()
        }
        if output.count + backlog < ConnectionDriver.lowMark { wake() }
    }

    private func wake() {
        guard let request, request.isHeldUp, connection.isOpen else { return }
        guard !request.isUpgrade || request.isSwitched else { return }
        request.isHeldUp = false
        request.writable()
    }

    override var isPaused: Bool {
        guard let request else { return false }
        request.isStalled = request.isBlocked
        return request.isStalled
    }

    // MARK: Time

    override func nextDeadline() -> Int64 {
        guard let request else { return .max }
        request.isStalled = request.isBlocked
        request.hasProgressed = true
        return connection.timeouts.next(of: request, now: worker.now, isWritten: output.isEmpty && backlog == 0)
    }

    override func deadlinePassed() {
        connection.fail(.timeout)
    }
}
