import Bytes
import HTTP

/// Passes a client's bytes on as they are: a listener of mode `tcp`, whose connection is one call.
final class RelayDriver: ConnectionDriver {
    private var call: Call?
    private var output = ByteQueue()
    private var isOver = false
    private var steps: UInt64 = 0

    override init(connection: ClientConnection) {
        super.init(connection: connection)
    }

    /// The connection is admitted: asks whether it may pass.
    override func start() {
        let call = worker.takeCall()
        self.call = call
        call.beginPassage(on: self)
    }

    // MARK: Input

    override func input(_ bytes: inout ByteQueue) {
        guard let call, call.canTakeBody, !bytes.isEmpty else { return }
        steps += 1
        bytes.withReadable { call.receiveBody($0) }
        bytes.removeAll()
    }

    override func endOfInput() {
        worker.clientTrailers.removeAll()
        call?.receiveEnd()
    }

    // MARK: Output

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        guard !self.output.isEmpty else { return }
        steps += 1
        if output.isEmpty { swap(&output, &self.output) } else { output.append(self.output) }
        self.output.removeAll()
    }

    override func flushed() {
        if output.count < Self.lowMark { call?.answerWritable() }
    }

    override func sendBody(_ bytes: Span<UInt8>, of call: Call) {
        output.append(bytes)
        connection.wantsOutput()
    }

    override func endBody(of call: Call, trailers: borrowing FieldTable) {
        call.isAnswered = true
        self.call = nil
        isOver = true
        call.leaveDriver()
        connection.wantsOutput()
    }

    /// What the service said before it broke off still goes out: that it is not all, nobody could tell in any case.
    override func abort(_ call: Call) {
        self.call = nil
        call.leaveDriver()
        isOver = true
        connection.wantsOutput()
    }

    override func resumeInput(of call: Call) {
        connection.wantsInput()
    }

    override func pending(_ call: Call) -> Int { output.count }

    // MARK: State

    override func closed(_ reason: String) {
        let call = call
        self.call = nil
        call?.clientGone(reason)
    }

    override var canAnswer: Bool { false }
    override var passesBytes: Bool { true }
    override var takesEnd: Bool { call?.canTakeBody ?? true }
    /// What the service said last must not be taken back by what the client still sends.
    override var lingers: Bool { true }
    override var isPaused: Bool {
        guard output.count < Self.highMark else { return true }
        guard let call else { return true }
        return !call.canTakeBody
    }
    override var progress: UInt64 { steps }
    override var awaitsClient: Bool { call?.canTakeBody ?? true }
    override var isFinished: Bool { isOver && output.isEmpty }
}
