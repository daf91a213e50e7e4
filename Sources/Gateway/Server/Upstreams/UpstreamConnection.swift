import Bytes
import Configuration
import HTTP
import Logging
import ProxyProtocol
import Reactor
import TLS
import Upstream

/// A connection to an upstream: socket and TLS, and above them a driver that speaks the upstream's protocol.
final class UpstreamConnection: Endpoint {
    /// What it is for.
    enum Purpose {
        /// Calls, one after the other or many at a time.
        case calls
        /// The bytes of one connection of a client, as they are.
        case bytes
        /// A question of the gateway's own, with so many nanoseconds for each step.
        case check(patience: Int64)
    }

    private enum Phase {
        case connecting, handshaking, open, closed
    }

    let place: UpstreamPlace
    /// Kept alive here: a reload may have put another in its place.
    private let group: UpstreamGroup
    let timeouts: UpstreamPatience
    /// In whose name it begins, where it belongs to one client.
    let client: ProxiedClient?
    private let purpose: Purpose
    private let socket: Socket
    private let session: TLSSession?
    private var driver: UpstreamDriver?
    private var phase = Phase.connecting
    private var isIdle = false
    /// When connecting must be over.
    private var connectBy: Int64

    /// Bytes that the socket did not take yet.
    private var outbound = ByteQueue()
    /// Plaintext whose rest has not come yet.
    private var inbound = ByteQueue()
    private var isReadable = false
    private var isWritable = false
    private var hungUp = false

    /// Reads in one go before others get their turn.
    private static let batch = 4
    private static let chunk = 128 << 10

    /// Begins to connect.
    ///
    /// - Parameters:
    ///   - client: in whose name, where the upstream is told.
    ///   - purpose: what it is for.
    init(
        worker: Worker, place: UpstreamPlace, client: ProxiedClient?, for purpose: Purpose
    ) throws {
        self.purpose = purpose
        self.place = place
        self.client = client
        group = place.group
        timeouts =
            if case .check(let patience) = purpose {
                UpstreamPatience(connect: patience, response: patience, idle: patience)
            } else {
                group.timeouts
            }
        connectBy = worker.now + timeouts.connect
        session = try place.context.map { try TLSSession(client: $0, wire: worker.wire) }
        socket = try Socket.connect(to: place.endpoint.address)
        super.init(worker: worker)
        driver =
            if case .bytes = purpose { RawUpstreamDriver(connection: self) } else { try group.makeDriver(of: self) }
        try worker.add(self, watching: socket.descriptor, for: .everything)
        place.opened(self)
        worker.setDeadline(connectBy, of: self)
    }

    /// Whether it may serve any call.
    var servesCalls: Bool { if case .calls = purpose { true } else { false } }
    /// Whether it waits for a request.
    var isUnused: Bool { isIdle }
    /// Whether plaintext can flow.
    var isOpen: Bool { phase == .open }
    /// Whether another request can be taken on.
    var canServe: Bool { phase != .closed && !hungUp && driver?.canServe == true }

    /// Whether it is known how many requests it takes at a time.
    var isSettled: Bool { phase == .open && driver?.isSettled == true }

    // MARK: Requests

    func serve(_ request: UpstreamRequest) {
        precondition(request.isPrepared, "nothing goes to an upstream without the evidence that it may")
        request.attach(to: self)
        isIdle = false
        driver?.serve(request)
        worker.markDirty(self)
    }

    func canTakeBody(_ request: UpstreamRequest) -> Bool {
        driver?.canTakeBody(request) ?? false
    }

    func sendBody(_ bytes: Span<UInt8>, of request: UpstreamRequest) {
        driver?.sendBody(bytes, of: request)
    }

    func endBody(of request: UpstreamRequest, trailers: borrowing FieldTable) {
        driver?.endBody(of: request, trailers: trailers)
    }

    func resume(_ request: UpstreamRequest) {
        driver?.resume(request)
    }

    func abandon(_ request: UpstreamRequest) {
        request.connection = nil
        driver?.abandon(request)
    }

    /// Everything is written, and nothing more will be.
    func sayLast() {
        session?.close()
        sendWire()
        socket.shutdownWriting()
    }

    /// The driver has output.
    func wantsOutput() {
        worker.markDirty(self)
    }

    /// The last request was answered: waits for another, if the connection can be trusted with one.
    func becameIdle() {
        // Until it is made, and the upstream has said what it takes, the time for that goes on.
        guard phase != .closed, isSettled || !servesCalls else { return }
        guard servesCalls, !hungUp, !worker.isDraining, !place.isRetired else { return close() }
        isIdle = true
        place.keep(self)
        worker.setDeadline(worker.now + timeouts.idle, of: self)
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

    /// Whether the connection has been made; its requests hear where it has failed.
    private func connected() -> Bool {
        guard socket.pendingError == 0 else {
            fail(.unreachable("upstream.refused"))
            return false
        }
        guard isWritable else { return false }
        if let client {
            client.writeHeader(into: &outbound)
        } else if group.plan.configuration.sendsProxyHeader {
            ProxyHeaderWriter.writeLocal(to: &outbound)
        }
        guard let session else {
            opened()
            return true
        }
        phase = .handshaking
        let outcome = session.start(now: worker.time)
        sendWire()
        return proceeds(outcome)
    }

    private func opened() {
        guard phase == .connecting || phase == .handshaking else { return }
        phase = .open
        driver?.opened()
        // Who wanted it may be gone.
        if phase == .open, driver?.isIdle == true { becameIdle() }
    }

    /// The upstream has said what it takes.
    func settled() {
        if driver?.isIdle == true { becameIdle() }
        place.hasRoom()
    }

    /// Whether the connection goes on after what TLS said.
    private func proceeds(_ outcome: TLSSession.Outcome) -> Bool {
        switch outcome {
        case .proceeded:
            return phase != .closed
        case .established:
            guard session?.applicationProtocol ?? .http11 == group.applicationProtocol else {
                fail(.unreachable("upstream.protocol"))
                return false
            }
            opened()
            return phase != .closed
        case .ended:
            inputEnded()
            return false
        case .failed(let error):
            if place.mayWarn(now: worker.now) {
                worker.logger.warning(
                    "TLS with an upstream failed",
                    metadata: [
                        "upstream": "\(group.name)", "target": "\(place.endpoint.address)",
                        "reason": "\(session?.refusal?.reason ?? "\(error)")",
                    ])
            }
            // The alert may still tell the upstream why.
            if !outbound.isEmpty, isWritable { write(&outbound) }
            fail(phase == .handshaking ? .unreachable("upstream.tls") : .broken("upstream.tls"))
            return false
        }
    }

    override func deadlinePassed() {
        switch phase {
        case .connecting, .handshaking: fail(.connectTimeout)
        case .open where driver?.isSettled == false && worker.now >= connectBy: fail(.timeout)
        case .open where isIdle: close()
        case .open:
            driver?.deadlinePassed()
            if phase != .closed { updateDeadline() }
        case .closed: break
        }
    }

    private func receive() {
        var reads = 0
        while isReadable, phase != .closed, phase != .connecting {
            if driver?.isPaused == true { return }
            guard reads < Self.batch else { return worker.markDirty(self) }
            reads += 1
            switch worker.receiveBuffer.read(from: socket) {
            case .moved(let count):
                if count < ReceiveBuffer.size, !hungUp { isReadable = false }
                if !worker.mayReadOn(after: count) { reads = Self.batch }
                session == nil ? worker.receiveBuffer.with(count) { take($0) } : decrypt(count)
            case .wouldBlock:
                isReadable = false
            case .ended:
                isReadable = false
                inputEnded()
            case .failed:
                isReadable = false
                lost(.broken("upstream.broken"))
            }
        }
    }

    private func decrypt(_ count: Int) {
        guard let session else { return }
        var plaintext = ByteQueue()
        swap(&plaintext, &worker.plaintext)
        let outcome = worker.receiveBuffer.with(count) { bytes in
            session.receive(bytes, now: worker.time, into: &plaintext)
        }
        sendWire()
        // What was to be sent may have found the socket closed. What came before an end or a fault of TLS is good.
        var goesOn = phase != .closed
        if case .established = outcome { goesOn = proceeds(.established) }
        if goesOn, !plaintext.isEmpty, phase == .open { plaintext.withReadable { take($0) } }
        plaintext.removeAll()
        swap(&plaintext, &worker.plaintext)
        if goesOn, phase != .closed, outcome != .established { _ = proceeds(outcome) }
    }

    private func take(_ bytes: Span<UInt8>) {
        guard let driver else { return }
        guard inbound.isEmpty else {
            inbound.append(bytes)
            return takeInbound()
        }
        let consumed = driver.process(bytes)
        if consumed < bytes.count, phase != .closed { inbound.append(bytes.extracting(consumed..<bytes.count)) }
    }

    private func takeInbound() {
        var bytes = ByteQueue()
        swap(&bytes, &inbound)
        if let driver { bytes.consume(driver.process(bytes.readable)) }
        guard phase != .closed else { return }
        swap(&bytes, &inbound)
    }

    private func inputEnded() {
        switch phase {
        case .connecting, .handshaking: fail(.unreachable("upstream.refused"))
        case .open where isIdle: close()
        case .open: driver?.endOfInput()
        case .closed: break
        }
    }

    /// The connection is of no use any more; what has come of answers is.
    private func lost(_ failure: UpstreamFailure) {
        guard phase == .open else { return fail(.unreachable("upstream.refused")) }
        hungUp = true
        driver?.lost(failure)
    }

    // MARK: Output

    override func flush() {
        guard phase != .closed, phase != .connecting else { return }
        if !outbound.isEmpty, isWritable { write(&outbound) }
        if phase == .open { produce() }
        guard phase != .closed else { return }
        if outbound.isEmpty {
            if outbound.capacity > 4096 { outbound.releaseStorage() }
            // What is under way there will not be answered.
            if driver?.isFinished == true { driver?.lost(.malformed) }
        }
        if isReadable { receive() }
        updateDeadline()
    }

    private func produce() {
        guard let driver else { return }
        var output = ByteQueue()
        swap(&output, &worker.output)
        while outbound.isEmpty, isWritable, phase == .open {
            driver.produce(into: &output, upTo: Self.chunk)
            guard !output.isEmpty else { break }
            send(&output)
        }
        output.removeAll()
        swap(&output, &worker.output)
        if phase == .open { driver.flushed(backlog: outbound.count) }
    }

    /// Moves plaintext to the socket, through TLS where there is some; what does not fit waits in ``outbound``.
    private func send(_ plaintext: inout ByteQueue) {
        guard let session else {
            write(&plaintext)
            if !plaintext.isEmpty { outbound.append(plaintext) }
            return plaintext.removeAll()
        }
        let sent = plaintext.withReadable { session.send($0) }
        plaintext.removeAll()
        guard sent else {
            // The wire is shared: what is left in it must not reach another connection.
            worker.wire.output.removeAll()
            return fail(.broken("upstream.broken"))
        }
        sendWire()
    }

    /// Moves what TLS has produced to the socket, and keeps what that does not take.
    private func sendWire() {
        guard !worker.wire.output.isEmpty else { return }
        if outbound.isEmpty, isWritable { write(&worker.wire.output) }
        if !worker.wire.output.isEmpty {
            worker.wire.output.withReadable { outbound.append($0) }
            worker.wire.output.removeAll()
        }
    }

    /// Writes from the front of `bytes` until the socket is full.
    private func write(_ bytes: inout ByteQueue) {
        while !bytes.isEmpty, isWritable {
            switch bytes.withReadable({ socket.write($0) }) {
            case .moved(let count): bytes.consume(count)
            case .wouldBlock: isWritable = false
            case .ended, .failed:
                // What the upstream said before it closed may still be read; its end comes as an event.
                bytes.removeAll()
                isWritable = false
                if !isReadable { lost(.broken("upstream.broken")) }
            }
        }
    }

    // MARK: Ends

    private func updateDeadline() {
        switch phase {
        case .connecting, .handshaking: worker.setDeadline(connectBy, of: self)
        case .open where !isIdle:
            guard let driver else { return }
            let next = driver.isSettled ? driver.nextDeadline() : min(connectBy, driver.nextDeadline())
            if next == .max { deadline = .max } else { worker.setDeadline(next, of: self) }
        case .open, .closed: break
        }
    }

    /// Ends the connection; its requests hear why.
    func fail(_ failure: UpstreamFailure) {
        guard phase != .closed else { return }
        let driver = driver
        let wasSettled = isSettled
        close()
        driver?.closed(failure)
        guard servesCalls else { return }
        wasSettled ? place.hasRoom() : place.couldNotOpen(failure.ofUnsent)
    }

    /// Takes no more requests, and closes behind those that are under way.
    func retire() {
        if driver?.isIdle != false { close() }
    }

    /// Ends the connection, which serves nobody any more.
    func close() {
        guard phase != .closed else { return }
        phase = .closed
        if isIdle { place.forget(self) }
        place.closed(self)
        driver = nil
        worker.remove(self)
    }
}
