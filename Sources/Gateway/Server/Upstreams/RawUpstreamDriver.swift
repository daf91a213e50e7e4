import Bytes
import HTTP

/// Passes bytes to an upstream and back as they are, for one client: what they mean is between the two.
final class RawUpstreamDriver: UpstreamDriver {
    private var request: UpstreamRequest?
    private var output = ByteQueue()
    private var backlog = 0
    private var saidLast = false

    override var isIdle: Bool { request == nil }

    override func serve(_ request: UpstreamRequest) {
        self.request = request
    }

    override func canTakeBody(_ request: UpstreamRequest) -> Bool {
        if !connection.isOpen || output.count + backlog >= ConnectionDriver.highMark { request.isHeldUp = true }
        return !request.isHeldUp
    }

    override func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {
        request.hasProgressed = true
        output.append(bytes)
        connection.wantsOutput()
    }

    override func endBody(of request: UpstreamRequest, trailers: borrowing FieldTable) {
        request.isSent = true
        connection.wantsOutput()
    }

    override func resume(_ request: UpstreamRequest) {
        if request.isStalled { connection.wantsOutput() }
    }

    override func abandon(_ request: UpstreamRequest) {
        self.request = nil
        connection.close()
    }

    override func opened() {
        request?.connected()
        wake()
    }

    override func process(_ bytes: Span<UInt8>) -> Int {
        request?.hasProgressed = true
        request?.received(bytes)
        return bytes.count
    }

    override func endOfInput() {
        guard let request = request.take() else { return connection.close() }
        request.connection = nil
        connection.close()
        request.ended()
    }

    override func closed(_ failure: UpstreamFailure) {
        guard let request = request.take() else { return }
        request.connection = nil
        request.failed(failure)
    }

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        guard !self.output.isEmpty else { return }
        if output.isEmpty { swap(&output, &self.output) } else { output.append(self.output) }
        self.output.removeAll()
    }

    override func flushed(backlog: Int) {
        self.backlog = backlog
        guard let request else { return }
        if request.isSent, output.isEmpty, backlog == 0, !saidLast {
            saidLast = true
            connection.sayLast()
        }
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

    override func nextDeadline() -> Int64 {
        guard let request else { return .max }
        // There is no answer to wait for: bytes flow, or they do not.
        request.answerBegan = true
        return connection.timeouts.next(of: request, now: worker.now, isWritten: false)
    }

    override func deadlinePassed() {
        connection.fail(.timeout)
    }
}
