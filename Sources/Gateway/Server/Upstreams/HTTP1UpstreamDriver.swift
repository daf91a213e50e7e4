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
        if request.isWhole { endBody(of: request) }
        connection.wantsOutput()
    }

    override func canTakeBody(_ request: UpstreamRequest) -> Bool {
        // Content that a connection took which then fails to open could not be sent to another address.
        if !connection.isOpen || output.count + backlog >= ConnectionDriver.highMark { request.isHeldUp = true }
        return !request.isHeldUp
    }

    override func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {
        machine.sendBody(bytes, into: &output)
        connection.wantsOutput()
    }

    override func endBody(of request: UpstreamRequest) {
        guard !request.isSent else { return }
        request.isSent = true
        machine.endBody(into: &output)
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
        if machine.isReusable, isWholeRequest, output.isEmpty, backlog == 0 {
            connection.becameIdle()
        } else {
            isOver = true
            connection.close()
        }
        return request
    }

    // MARK: The connection

    override func opened() {
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
                release()?.ended()
            case .malformed:
                connection.fail(.broken("upstream.malformed", isUnprocessed: false))
                return bytes.count
            case .unexpected:
                connection.fail(.broken("upstream.unexpected", isUnprocessed: false))
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

    override func endOfInput() {
        switch machine.endOfInput() {
        case .complete:
            release()?.ended()
        case .truncated:
            connection.fail(.broken("upstream.truncated", isUnprocessed: false))
        case .idle:
            // A request that waits here was not answered by a byte.
            connection.fail(.broken("upstream.truncated", isUnprocessed: false))
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
        if output.count + backlog < ConnectionDriver.lowMark { wake() }
    }

    private func wake() {
        guard let request, request.isHeldUp, connection.isOpen else { return }
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
        return connection.timeouts.next(
            of: request, now: worker.now, isBlocked: isPaused, isWritten: output.isEmpty && backlog == 0)
    }

    override func deadlinePassed() {
        connection.fail(.timedOut("upstream.timeout"))
    }
}
