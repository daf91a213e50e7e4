import Bytes
import Configuration
import Exchange
import HTTP
import HTTP1

/// Serves HTTP/1: one call at a time, in order.
final class HTTP1Driver: ConnectionDriver {
    private var machine: HTTP1ServerConnection
    private var call: Call?
    private var output = ByteQueue()
    private var isPartial = false
    /// Whether a request has come.
    private var hasServed = false
    private var isOver = false
    private var sawFault = false
    private var awaitsRoom = false
    private var steps: UInt64 = 0
    /// Content of the present request that was read for nothing, in bytes.
    private var discarded = 0
    private static let discardLimit = 256 << 10
    /// The room for output that a connection keeps between answers, in bytes.
    private static let keptOutput = 2048

    init(connection: ClientConnection, limits: Limits) {
        let head = HeadLimits(bytes: limits.headerBytes, count: limits.headerCount)
        machine = HTTP1ServerConnection(limits: head, bodyLimit: limits.bodyBytes)
        super.init(connection: connection)
    }

    // MARK: Input

    override func input(_ bytes: inout ByteQueue) {
        if bytes.isEmpty, call == nil { return }
        // Ends when the machine wants more: the end of content may come without a byte of its own.
        while !isOver, !sawFault {
            if output.count >= Self.highMark {
                // Refusals of pipelined requests gather here where nobody reads them.
                awaitsRoom = true
                return
            }
            if let call, !call.canTakeBody { return }
            let candidate = call ?? worker.takeCall()
            let event = machine.input(bytes.readable, head: &candidate.exchange.request)
            if call == nil, !event.usesCall { worker.recycle(candidate) }
            guard take(event, of: &bytes, candidate) else { return }
        }
    }

    /// Does what an event says; false where no more input can be taken now.
    private func take(_ event: HTTP1ServerConnection.Input, of bytes: inout ByteQueue, _ candidate: Call) -> Bool {
        switch event {
        case .needMore(let consumed):
            bytes.consume(consumed)
            isPartial = call == nil && !bytes.isEmpty
            return false
        case .request(let consumed, let hasBody):
            bytes.consume(consumed)
            isPartial = false
            hasServed = true
            steps += 1
            discarded = 0
            call = candidate
            candidate.begin(on: self, stream: 0, hasBody: hasBody)
            return true
        case .body(let offset, let count, let consumed):
            steps += 1
            candidate.receiveBody(bytes.readable.extracting(offset..<offset + count))
            bytes.consume(consumed)
            return goesOn(after: count, candidate)
        case .endOfBody(let consumed):
            bytes.consume(consumed)
            worker.clientTrailers.removeAll()
            _ = machine.takeTrailers(into: &worker.clientTrailers)
            requestEnded()
            return true
        case .tunnel(let offset, let count, let consumed):
            steps += 1
            candidate.receiveBody(bytes.readable.extracting(offset..<offset + count))
            bytes.consume(consumed)
            return true
        case .waiting:
            return false
        case .refused(let fault):
            refuse(fault, candidate)
            return false
        }
    }

    /// Whether content that comes after its answer is still worth reading.
    private func goesOn(after count: Int, _ call: Call) -> Bool {
        guard call.isAnswered else { return true }
        discarded += count
        guard discarded > Self.discardLimit else { return true }
        sawFault = true
        isOver = true
        finishCall(call)
        return false
    }

    private func requestEnded() {
        guard let call else { return }
        call.receiveEnd()
        if call.isAnswered { finishCall(call) }
    }

    private func refuse(_ fault: MessageFault, _ candidate: Call) {
        sawFault = true
        isPartial = false
        if call != nil {
            guard candidate.isAnswered else { return candidate.refuseBody(fault) }
            // The answer is whole, and only has to get out.
            isOver = true
            finishCall(candidate)
            return connection.wantsOutput()
        }
        call = candidate
        candidate.refuse(fault, on: self, stream: 0)
    }

    override func endOfInput() {
        switch machine.endOfInput() {
        case .idle:
            isOver = true
        case .answerOwed:
            // The request came whole: a client may end its side and still read the answer.
            machine.closeAfterAnswer()
        case .tunnel:
            worker.clientTrailers.removeAll()
            call?.receiveEnd()
        case .truncated:
            let call = call
            self.call = nil
            call?.clientGone("client.truncated")
            isOver = true
        }
        connection.wantsOutput()
    }

    /// Nobody waits for the answer that is under way: clients of HTTP that end their side and go on to read end TLS first, and
    /// an upstream that has nothing to say for a while would never let us find out.
    override func peerLeft() {
        guard let call, !call.isAnswered, !machine.isTunnel else { return }
        self.call = nil
        call.clientGone("client.disconnected")
        isOver = true
        connection.wantsOutput()
    }

    // MARK: Output

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        guard !self.output.isEmpty else { return }
        steps += 1
        guard self.output.count > Self.keptOutput, output.isEmpty else {
            output.append(self.output)
            return self.output.removeAll()
        }
        // Much is moved rather than copied, and no idle connection keeps the room that it took.
        swap(&output, &self.output)
        self.output.releaseStorage()
    }

    override func flushed() {
        guard output.count < Self.lowMark else { return }
        if awaitsRoom {
            awaitsRoom = false
            connection.wantsInput()
        }
        call?.answerWritable()
    }

    override func sendContinue(_ call: Call) {
        machine.sendContinue(into: &output)
        connection.wantsOutput()
    }

    override func sendHead(_ head: borrowing ResponseHead, of call: Call, ends: Bool) {
        machine.sendHead(head, into: &output)
        if ends {
            machine.endBody(into: &output)
            call.isAnswered = true
            answerEnded(call)
        }
        connection.wantsOutput()
    }

    override func sendBody(_ bytes: Span<UInt8>, of call: Call) {
        if machine.isTunnel { output.append(bytes) } else { machine.sendBody(bytes, into: &output) }
        connection.wantsOutput()
    }

    override func switchProtocols(_ head: borrowing ResponseHead, of call: Call) {
        machine.switchProtocols(head, into: &output)
        connection.wantsOutput()
        // The client may have said something in it already.
        connection.wantsInput()
    }

    override func endBody(of call: Call, trailers: borrowing FieldTable) {
        call.isAnswered = true
        connection.wantsOutput()
        guard !machine.isTunnel else {
            finishCall(call)
            isOver = true
            return
        }
        machine.endBody(trailers: trailers, into: &output)
        answerEnded(call)
    }

    private func answerEnded(_ call: Call) {
        switch machine.afterAnswer {
        case .readNext: finishCall(call)
        case .finishRequestBody: connection.wantsInput()
        case .close:
            finishCall(call)
            isOver = true
        }
    }

    private func finishCall(_ call: Call) {
        guard self.call === call else { return }
        self.call = nil
        call.leaveDriver()
        // A pipelined request may wait already.
        connection.wantsInput()
    }

    override func abort(_ call: Call) {
        self.call = nil
        call.leaveDriver()
        output.removeAll()
        isOver = true
        connection.close()
    }

    override func closeAfterAnswer(of call: Call, endsConnection: Bool) {
        machine.closeAfterAnswer()
    }

    override func pending(_ call: Call) -> Int { output.count }

    override func resumeInput(of call: Call) {
        connection.wantsInput()
    }

    // MARK: State

    override func drain(isLast: Bool) {
        machine.closeAfterAnswer()
        if call == nil, !isPartial, hasServed || isLast { isOver = true }
    }

    override func closed(_ reason: String) {
        let call = call
        self.call = nil
        call?.clientGone(reason)
    }

    override var isPaused: Bool {
        guard output.count < Self.highMark else { return true }
        guard let call else { return false }
        return call.hasWholeRequest || !call.canTakeBody
    }
    override var awaitsClient: Bool {
        guard let call else { return true }
        return !output.isEmpty || (!call.hasWholeRequest && call.canTakeBody)
    }
    override var calls: [Call] { call.map { [$0] } ?? [] }
    override var isIdle: Bool { call == nil }
    /// The end of bytes that pass has nothing to do with room for those that come back.
    override var takesEnd: Bool { machine.isTunnel ? call?.canTakeBody ?? true : !isPaused }
    override var passesBytes: Bool { machine.isTunnel }
    override var isInHead: Bool { isPartial }
    override var progress: UInt64 { steps }
    override var isFinished: Bool { isOver && output.isEmpty }
    override var lingers: Bool { sawFault || call != nil || !machine.isIdle }
}

extension HTTP1ServerConnection.Input {
    /// Whether a call comes of it.
    fileprivate var usesCall: Bool {
        switch self {
        case .request, .refused: true
        default: false
        }
    }
}
