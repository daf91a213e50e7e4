import Bytes
import Configuration
import Exchange
import HTTP
import HTTP1
import Reactor

/// A connection to an upstream: serves one call at a time, and waits in its worker's pool between them.
final class UpstreamConnection: Endpoint {
    private enum Phase {
        case connecting, serving, idle, closed
    }

    let address: SocketAddress
    private let socket: Socket
    private var machine: HTTP1ClientConnection
    private var phase = Phase.connecting
    private var call: Call?
    private var served = 0
    private var answerBegan = false
    private var requestEnded = false

    /// Request bytes that the socket did not take yet.
    private var outbound = ByteQueue()
    /// The beginning of a head or a chunk's size whose rest has not come yet.
    private var inbound = ByteQueue()
    private var isReadable = false
    private var isWritable = false
    private var hungUp = false
    private var wasBlocked = false
    /// Whether the call was told to wait, and not yet to go on.
    private var holdsUp = false

    private static let batch = 4

    init(worker: Worker, address: SocketAddress) throws {
        self.address = address
        let limits = worker.plan.snapshot.limits
        machine = HTTP1ClientConnection(limits: HeadLimits(bytes: limits.headerBytes, count: limits.headerCount))
        socket = try Socket.connect(to: address)
        super.init(worker: worker)
        try worker.add(self, watching: socket.descriptor, for: .everything)
    }

    /// Whether more of the request can be taken now; where not, the call is told when it can.
    var canTakeBody: Bool {
        // Content that a connection took which is then refused could not be sent to another address.
        if outbound.count >= ConnectionDriver.highMark || phase == .connecting { holdsUp = true }
        return !holdsUp
    }

    // MARK: The request

    /// Takes a call on and sends its head.
    func serve(_ call: Call) {
        self.call = call
        answerBegan = false
        requestEnded = false
        awaitsHead = false
        holdsUp = false
        if phase == .idle { phase = .serving }
        call.writeHead(by: &machine, into: &outbound)
        if call.hasWholeRequest { endBody() }
        updateDeadline()
        worker.markDirty(self)
    }

    func sendBody(_ bytes: Span<UInt8>) {
        machine.sendBody(bytes, into: &outbound)
        worker.markDirty(self)
    }

    func endBody() {
        guard !requestEnded else { return }
        machine.endBody(into: &outbound)
        requestEnded = true
        worker.markDirty(self)
    }

    /// The client can take more of the answer.
    func resume() {
        if wasBlocked { worker.markDirty(self) }
    }

    /// The call has no more use for the answer.
    func abandon() {
        call = nil
        close()
    }

    // MARK: Events

    override func ready(_ readiness: Poller.Readiness) {
        if readiness.canWrite { isWritable = true }
        if readiness.canRead { isReadable = true }
        if readiness.hasEnd { hungUp = true }
        if phase == .connecting, !connected() { return }
        if isReadable { receive() }
        worker.markDirty(self)
    }

    /// Whether the connection has been made; its call hears where it has failed.
    private func connected() -> Bool {
        guard socket.pendingError == 0 else {
            let call = call
            self.call = nil
            close()
            call?.upstreamRefused()
            return false
        }
        guard isWritable else { return false }
        phase = .serving
        if holdsUp {
            holdsUp = false
            call?.upstreamWritable()
        }
        return true
    }

    override func deadlinePassed() {
        let call = call
        let wasConnecting = phase == .connecting
        self.call = nil
        if phase == .idle { worker.forget(self) }
        close()
        call?.upstreamTimedOut(wasConnecting ? "upstream.connect-timeout" : "upstream.timeout")
    }

    private func receive() {
        var reads = 0
        while isReadable, phase != .closed, phase != .connecting {
            if isBlockedByClient { return }
            guard reads < Self.batch else { return worker.markDirty(self) }
            reads += 1
            switch worker.receiveBuffer.read(from: socket) {
            case .moved(let count):
                if count < ReceiveBuffer.size, !hungUp { isReadable = false }
                worker.receiveBuffer.with(count) { take($0) }
            case .wouldBlock:
                isReadable = false
            case .ended:
                isReadable = false
                ended()
            case .failed:
                isReadable = false
                broke("upstream.broken")
            }
        }
    }

    /// Whether the answer must wait for the client.
    private var isBlockedByClient: Bool {
        wasBlocked = call?.isAnswerBlocked ?? false
        return wasBlocked
    }

    private func take(_ bytes: Span<UInt8>) {
        guard inbound.isEmpty else {
            inbound.append(bytes)
            return takeInbound()
        }
        let consumed = process(bytes)
        if consumed < bytes.count, phase != .closed { inbound.append(bytes.extracting(consumed..<bytes.count)) }
    }

    /// Reads as many events as the bytes hold; returns how many bytes are done with.
    private func process(_ bytes: Span<UInt8>) -> Int {
        var offset = 0
        // Ends when the machine wants more: the end of content may come without a byte of its own.
        while phase == .serving || phase == .idle {
            let rest = bytes.extracting(offset..<bytes.count)
            switch machine.input(rest, head: &worker.upstreamHead) {
            case .needMore(let consumed):
                return offset + consumed
            case .informational(let consumed):
                answerBegan = true
                offset += consumed
            case .response(let consumed, let hasBody):
                answerBegan = true
                offset += consumed
                answered(hasBody: hasBody)
            case .body(let start, let count, let consumed):
                call?.upstreamSent(rest.extracting(start..<start + count))
                offset += consumed
            case .endOfBody(let consumed):
                offset += consumed
                finished()
            case .malformed:
                broke("upstream.malformed")
                return bytes.count
            case .unexpected, .switched, .tunnel:
                broke("upstream.unexpected")
                return bytes.count
            }
        }
        return offset
    }

    private func answered(hasBody: Bool) {
        guard hasBody else {
            let call = call
            release()
            call?.upstreamAnswered(worker.upstreamHead, hasBody: false)
            return
        }
        call?.upstreamAnswered(worker.upstreamHead, hasBody: true)
    }

    private func finished() {
        let call = call
        release()
        call?.upstreamEnded()
    }

    /// The answer is whole: waits for the next call, if the connection can be trusted with one.
    private func release() {
        call = nil
        served += 1
        guard machine.isReusable, requestEnded, outbound.isEmpty, !hungUp, !worker.isDraining else { return close() }
        phase = .idle
        worker.keep(self)
        worker.setDeadline(worker.now + worker.plan.timeouts.idle.nanoseconds, of: self)
    }

    private func ended() {
        switch phase {
        case .idle:
            worker.forget(self)
            close()
        case .connecting, .serving:
            switch machine.endOfInput() {
            case .complete:
                let call = call
                self.call = nil
                close()
                call?.upstreamEnded()
            case .truncated, .idle, .tunnel:
                broke("upstream.truncated")
            }
        case .closed:
            break
        }
    }

    private func broke(_ reason: String) {
        let call = call
        self.call = nil
        if phase == .idle { worker.forget(self) }
        close()
        call?.upstreamBroke(reason, wasReused: served > 0, answerBegan: answerBegan)
    }

    // MARK: Output and ends

    override func flush() {
        guard phase != .closed, phase != .connecting else { return }
        while !outbound.isEmpty, isWritable {
            switch outbound.withReadable({ socket.write($0) }) {
            case .moved(let count): outbound.consume(count)
            case .wouldBlock: isWritable = false
            case .ended, .failed:
                // What the upstream said before it closed may still be read; its end comes as an event.
                outbound.removeAll()
                isWritable = false
                if !isReadable { return broke("upstream.broken") }
            }
        }
        if holdsUp, outbound.count < ConnectionDriver.lowMark {
            holdsUp = false
            call?.upstreamWritable()
        }
        if outbound.isEmpty, outbound.capacity > 4096 { outbound.releaseStorage() }
        if isReadable { receive() }
        updateDeadline()
    }

    private func takeInbound() {
        var bytes = ByteQueue()
        swap(&bytes, &inbound)
        bytes.consume(process(bytes.readable))
        guard phase != .closed else { return }
        swap(&bytes, &inbound)
    }

    /// Sets how long the upstream has for what it has to do next.
    private func updateDeadline() {
        let timeouts = worker.plan.timeouts
        switch phase {
        case .connecting:
            if deadline == .max { worker.setDeadline(worker.now + timeouts.upstreamConnect.nanoseconds, of: self) }
        case .serving:
            if isBlockedByClient {
                // The client's own deadline counts meanwhile.
                deadline = .max
            } else if requestEnded, outbound.isEmpty, !answerBegan {
                if !awaitsHead { worker.setDeadline(worker.now + timeouts.upstreamResponse.nanoseconds, of: self) }
                awaitsHead = true
                return
            } else {
                worker.setDeadline(worker.now + timeouts.idle.nanoseconds, of: self)
            }
            awaitsHead = false
        case .idle, .closed:
            break
        }
    }

    /// Whether the deadline is that of the answer's head: it is set once and not moved.
    private var awaitsHead = false

    func close() {
        guard phase != .closed else { return }
        phase = .closed
        worker.remove(self)
    }
}
