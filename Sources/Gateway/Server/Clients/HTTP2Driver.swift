import Bytes
import Configuration
import Exchange
import HTTP
import HTTP2
import Logging

/// Serves HTTP/2: a call a stream.
final class HTTP2Driver: ConnectionDriver {
    private let machine: HTTP2ServerConnection
    private var streams: [Int32: Call] = [:]
    private var isDraining = false
    private var scratch = ByteQueue()
    private var steps: UInt64 = 0
    /// How many streams have become tunnels since the connection began.
    private var tunnels = 0

    init(connection: ClientConnection, limits: Limits) throws(HTTP2Error) {
        let head = HeadLimits(bytes: limits.headerBytes, count: limits.headerCount)
        machine = try HTTP2ServerConnection(
            limits: HTTP2Limits(
                streams: UInt32(limits.streams), head: head, bodyLimit: limits.bodyBytes, extendedConnect: true))
        super.init(connection: connection)
    }

    // MARK: Input

    override func input(_ bytes: inout ByteQueue) {
        guard !bytes.isEmpty else { return }
        do throws(HTTP2Error) {
            try machine.receive(bytes.readable, now: MonotonicTime(nanoseconds: worker.now))
        } catch {
            worker.logger.debug("HTTP/2 connection ended", metadata: ["reason": "\(error)"])
        }
        bytes.removeAll()
        takeEvents()
        connection.wantsOutput()
    }

    private func takeEvents() {
        while let event = machine.nextEvent() {
            switch event {
            case .request(let stream, let hasBody): begin(stream, hasBody: hasBody)
            case .body(let stream): if let call = streams[stream] { pump(call) }
            case .endOfBody(let stream): if let call = streams[stream] { pump(call) }
            case .reset(let stream): end(stream, "client.reset")
            case .refused(let stream, let fault): refuse(stream, fault)
            case .writable(let stream): streams[stream]?.answerWritable()
            case .completed(let stream): completed(stream)
            case .goAway: break
            }
        }
    }

    private func begin(_ stream: Int32, hasBody: Bool) {
        let call = worker.takeCall()
        guard machine.takeHead(of: stream, into: &call.exchange.request) else { return worker.recycle(call) }
        streams[stream] = call
        steps += 1
        call.begin(on: self, stream: stream, hasBody: hasBody)
    }

    /// Moves content from the stream to the call, as much as it can take: what stays closes the peer's window.
    private func pump(_ call: Call) {
        let stream = call.stream
        while call.canTakeBody, machine.bufferedBody(of: stream) > 0 {
            scratch.removeAll()
            guard machine.takeBody(of: stream, into: &scratch, upTo: 64 << 10) > 0 else { break }
            steps += 1
            scratch.withReadable { call.receiveBody($0) }
        }
        if call.canTakeBody, !call.hasWholeRequest, machine.isBodyComplete(of: stream) {
            worker.clientTrailers.removeAll()
            _ = machine.takeTrailers(of: stream, into: &worker.clientTrailers)
            call.receiveEnd()
        }
        connection.wantsOutput()
    }

    private func refuse(_ stream: Int32, _ fault: MessageFault) {
        if let call = streams[stream] { return call.refuseBody(fault) }
        let call = worker.takeCall()
        _ = machine.takeHead(of: stream, into: &call.exchange.request)
        streams[stream] = call
        call.refuse(fault, on: self, stream: stream)
        if !machine.canAnswer(stream) { end(stream, "client.reset") }
    }

    /// The answer is sent; the machine has told the peer where the rest of the request is not wanted (RFC 9113 §8.1).
    private func completed(_ stream: Int32) {
        end(stream, "client.reset")
    }

    /// The stream is closed: the call ends too, if it has not.
    private func end(_ stream: Int32, _ reason: String) {
        guard let call = streams.removeValue(forKey: stream) else { return }
        call.clientGone(reason)
    }

    override func endOfInput() {
        closed("client.disconnected")
        machine.shutdown(.noError)
        connection.wantsOutput()
    }

    // MARK: Output

    override func produce(into output: inout ByteQueue, upTo bytes: Int) {
        machine.send(into: &output, upTo: bytes)
        takeEvents()
    }

    override func sendHead(_ head: borrowing ResponseHead, of call: Call, ends: Bool) {
        machine.sendHead(head, on: call.stream, endStream: ends)
        if ends { answered(call) }
        connection.wantsOutput()
    }

    override func sendContinue(_ call: Call) {
        var head = ResponseHead()
        head.status = 100
        machine.sendHead(head, on: call.stream, endStream: false)
        connection.wantsOutput()
    }

    override func sendBody(_ bytes: Span<UInt8>, of call: Call) {
        machine.sendBody(bytes, on: call.stream)
        connection.wantsOutput()
    }

    override func switchProtocols(_ head: borrowing ResponseHead, of call: Call) {
        tunnels += 1
        machine.sendHead(head, on: call.stream, endStream: false)
        connection.wantsOutput()
    }

    override func endBody(of call: Call, trailers: borrowing FieldTable) {
        machine.endBody(on: call.stream, trailers: trailers)
        answered(call)
        connection.wantsOutput()
    }

    /// The whole answer is with the machine; the stream's end takes the call off.
    private func answered(_ call: Call) {
        call.isAnswered = true
    }

    override func closeAfterAnswer(of call: Call, endsConnection: Bool) {
        // A limit that was met, or content that is not wanted, concerns one stream only.
        guard endsConnection else { return }
        // At once: the notice, and the last stream that is served.
        machine.drain()
        machine.drain()
        isDraining = true
    }

    override func abort(_ call: Call) {
        machine.reset(stream: call.stream, .internalError)
        streams[call.stream] = nil
        call.leaveDriver()
        connection.wantsOutput()
    }

    override func pending(_ call: Call) -> Int { machine.pendingBody(on: call.stream) }

    override func resumeInput(of call: Call) {
        pump(call)
    }

    // MARK: State

    override func drain(isLast: Bool) {
        machine.drain()
        // Whoever has asked nothing yet may have a request on its way.
        if isDraining || streams.isEmpty && steps > 0 { machine.drain() }
        isDraining = true
        connection.wantsOutput()
    }

    override func closed(_ reason: String) {
        let open = streams
        streams.removeAll()
        for call in open.values { call.clientGone(reason) }
    }

    override var calls: [Call] { Array(streams.values) }
    override var isIdle: Bool { streams.isEmpty }
    override var passesBytes: Bool { tunnels > 0 }
    override var isInHead: Bool { machine.isInHead }
    override var progress: UInt64 { steps &+ machine.framedBytes }
    override var awaitsClient: Bool {
        streams.isEmpty || machine.wantsToSend
            || streams.values.contains {
                !$0.hasWholeRequest && !$0.isHeldUp || $0.isAnswered || machine.pendingBody(on: $0.stream) > 0
            }
    }
    override var isFinished: Bool { machine.isFinished }
    override var lingers: Bool { machine.failure != nil }
}
