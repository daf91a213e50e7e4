import Audit
import Bytes
import Configuration
import Cryptography
import Exchange
import HTTP1
import HTTP2
import Identity
import Logging
import ProxyProtocol
import Reactor
import TLS

/// A client's connection: socket and TLS, and above them a driver once the handshake says which protocol it is.
final class ClientConnection: Endpoint {
    enum Phase {
        /// A configured proxy has to say first whose connection it is.
        case preamble
        case handshake
        case serving
        /// Everything is said; what the client still sends is read and dropped until it closes, so that it can read our last
        /// words: closing with unread data would take them back (RST).
        case lingering
        case closed
    }

    let socket: Socket
    let session: TLSSession
    var listener: ListenerPlan
    /// Which of the listeners it came by.
    let listenerIndex: Int
    /// Whether a reload has changed whom to trust since the client was judged.
    var isTrustStale = false
    var address: SocketAddress
    /// What a configured proxy says before the handshake.
    private var proxyReader = ProxyHeaderReader()
    var proxyAddresses: ProxyAddresses?
    private let timeouts: Timeouts
    var context: ConnectionContext?
    var driver: ConnectionDriver?
    /// The certificate that the connection is counted for.
    var client: Digest256?
    var phase = Phase.handshake

    /// Ciphertext that the socket did not take yet.
    private var outbound = ByteQueue()
    /// Plaintext that the driver did not take yet.
    private var inbound = ByteQueue()
    private var isReadable = false
    private var isWritable = true
    private var hungUp = false
    private var sawEnd = false
    private var needsInput = false
    /// Whether our side has been ended.
    private var saidLast = false
    private var headStartedAt: Int64?
    private var progress: UInt64 = 0
    var progressedAt: Int64 = 0

    /// How long a connection lingers, in nanoseconds.
    private static let lingering: Int64 = 2_000_000_000
    /// Reads in one go before others get their turn.
    private static let batch = 4
    private static let chunk = 128 << 10

    init(worker: Worker, socket: consuming Socket, address: SocketAddress, listener: Int) throws {
        self.socket = consume socket
        self.address = address
        self.listener = worker.plan.listeners[listener]
        listenerIndex = listener
        timeouts = worker.plan.timeouts
        session = try TLSSession(server: self.listener.context, wire: worker.wire)
        super.init(worker: worker)
        if let peer = NetworkEndpoint(address), self.listener.proxyPeers.contains(where: { $0.contains(peer.address) })
        {
            phase = .preamble
        }
    }

    func start() throws {
        try worker.add(self, watching: socket.descriptor, for: .everything)
        worker.setDeadline(worker.now + timeouts.handshake.nanoseconds, of: self)
    }

    // MARK: Events

    override func ready(_ readiness: Poller.Readiness) {
        if readiness.canWrite { isWritable = true }
        if readiness.canRead { isReadable = true }
        // Behind the last bytes there will be no further report of the end.
        if readiness.hasEnd { hungUp = true }
        if isReadable { receive() }
        worker.markDirty(self)
    }

    override func deadlinePassed() {
        switch phase {
        case .preamble, .handshake:
            recordRefusal("handshake.timeout")
            close()
        case .serving where driver?.passesBytes == true && context?.peer?.isExpired(at: worker.time) == true:
            close("certificate.expired")
        // The civil clock, by which certificates end, was set back meanwhile.
        case .serving where passageEnd != nil && worker.now < progressedAt + timeouts.idle.nanoseconds:
            updateDeadline()
        case .serving:
            close(driver?.isInHead == true ? "timeout.head" : "timeout.idle")
        case .lingering:
            close()
        case .closed:
            break
        }
    }

    /// Reads while there is something to read and somewhere to put it.
    private func receive() {
        var reads = 0
        while isReadable, phase != .closed, !mustWait {
            guard reads < Self.batch else { return worker.markDirty(self) }
            reads += 1
            switch worker.receiveBuffer.read(from: socket) {
            case .moved(let count):
                if count < ReceiveBuffer.size, !hungUp { isReadable = false }
                if !worker.mayReadOn(after: count) { reads = Self.batch }
                switch phase {
                case .preamble: readPreamble(count)
                case .handshake, .serving: decrypt(count)
                case .lingering, .closed: break
                }
            case .wouldBlock:
                isReadable = false
            case .ended:
                isReadable = false
                peerEnded()
                if phase == .serving { driver?.peerLeft() }
            case .failed:
                isReadable = false
                close()
            }
        }
    }

    /// Whether more plaintext has nowhere to go.
    ///
    /// One read beyond what the driver can take is made all the same, so that the
    /// end of a connection is seen while its call waits.
    private var mustWait: Bool { !inbound.isEmpty && driver?.isPaused == true }

    /// Reads whose connection it is; what follows belongs to the handshake.
    private func readPreamble(_ count: Int) {
        switch worker.receiveBuffer.with(count, { bytes in proxyReader.read(bytes) }) {
        case .needMore: break
        case .header(let header, let consumed):
            proxyAddresses = header.addresses
            if let source = header.source { address = SocketAddress(source) }
            phase = .handshake
            if consumed < count { decrypt(count, from: consumed) }
        case .malformed(let fault):
            recordRefusal(fault.reason)
            close()
        }
    }

    private func decrypt(_ count: Int, from start: Int = 0) {
        let wasEstablished = session.isEstablished
        var plaintext = ByteQueue()
        swap(&plaintext, &worker.plaintext)
        let outcome = worker.receiveBuffer.with(count) { bytes in
            session.receive(bytes.extracting(start..<count), now: worker.time, into: &plaintext)
        }
        sendWire()
        // What was to be sent may have found the socket closed: nothing of the client counts then.
        if !wasEstablished, session.isEstablished, phase == .handshake { established() }
        if !plaintext.isEmpty { deliver(&plaintext) }
        plaintext.removeAll()
        swap(&plaintext, &worker.plaintext)
        switch outcome {
        case .proceeded, .established: break
        case .ended: peerEnded()
        case .failed(let error): failed(error)
        }
    }

    private func deliver(_ plaintext: inout ByteQueue) {
        guard let driver, phase == .serving, settleTrust() else { return }
        if inbound.isEmpty {
            driver.input(&plaintext)
            inbound.append(plaintext)
        } else {
            inbound.append(plaintext)
            takeInbound()
        }
    }

    private func peerEnded() {
        guard !sawEnd else { return }
        sawEnd = true
        switch phase {
        case .preamble, .handshake, .lingering: close()
        case .serving: wantsInput()
        case .closed: break
        }
    }

    private func failed(_ error: TLSError) {
        guard phase != .closed else { return }
        if phase == .handshake {
            recordRefusal(
                session.refusal?.reason ?? (error.isMissingCertificate ? "certificate.missing" : "handshake.failed"))
            worker.logger.debug("handshake failed", metadata: ["peer": "\(address)", "reason": "\(error)"])
        }
        driver?.closed("client.disconnected")
        driver = nil
        // The alert must reach a client that may have sent more already.
        linger()
    }

    // MARK: Output

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
        while !bytes.isEmpty {
            switch bytes.withReadable({ socket.write($0) }) {
            case .moved(let count): bytes.consume(count)
            case .wouldBlock:
                isWritable = false
                return
            case .ended, .failed:
                bytes.removeAll()
                isWritable = false
                close()
                return
            }
        }
    }

    override func flush() {
        guard phase != .closed else { return }
        if needsInput { takeInbound() }
        if isReadable, phase != .closed { receive() }
        guard phase != .closed else { return }
        if !outbound.isEmpty, isWritable { write(&outbound) }
        if phase == .serving { produce() }
        guard phase != .closed else { return }
        if outbound.isEmpty {
            if outbound.capacity > 0 { outbound.releaseStorage() }
            if phase == .serving, driver?.isFinished == true { return finish() }
            if phase == .lingering, !saidLast { sayLast() }
        }
        updateDeadline()
    }

    private func produce() {
        guard let driver else { return }
        var output = ByteQueue()
        swap(&output, &worker.output)
        while outbound.isEmpty, phase == .serving {
            driver.produce(into: &output, upTo: Self.chunk)
            guard !output.isEmpty else { break }
            let sent = output.withReadable { session.send($0) }
            output.removeAll()
            guard sent else {
                // The wire is shared: what is left in it must not reach another connection.
                worker.wire.output.removeAll()
                close()
                break
            }
            sendWire()
        }
        output.removeAll()
        swap(&output, &worker.output)
        if phase == .serving { driver.flushed() }
    }

    /// Brings the driver what it did not take before.
    private func takeInbound() {
        needsInput = false
        guard let driver, phase == .serving else { return }
        // Also without bytes: the end of content may come without one of its own.
        var bytes = ByteQueue()
        swap(&bytes, &inbound)
        driver.input(&bytes)
        swap(&bytes, &inbound)
        if inbound.isEmpty { inbound.releaseStorage() }
        if sawEnd, phase == .serving, driver.takesEnd, inbound.isEmpty || !driver.passesBytes { driver.endOfInput() }
    }

    /// The driver can take input again.
    func wantsInput() {
        needsInput = true
        worker.markDirty(self)
    }

    /// The driver has output, or is finished.
    func wantsOutput() {
        worker.markDirty(self)
    }

    // MARK: Ends

    /// Takes no more requests, but for the first of a client that has just come.
    ///
    /// - Parameter isLast: whether the time of grace is over.
    func drain(isLast: Bool) {
        switch phase {
        case .preamble, .handshake:
            if isLast { close() }
        case .serving:
            driver?.drain(isLast: isLast)
            worker.markDirty(self)
        case .lingering, .closed:
            break
        }
    }

    /// Everything is written: says so and closes.
    private func finish() {
        session.close()
        sendWire()
        guard phase != .closed else { return }
        if driver?.lingers == true, !sawEnd { linger() } else { close() }
    }

    private func linger() {
        guard phase != .closed else { return }
        phase = .lingering
        inbound.releaseStorage()
        worker.setDeadline(worker.now + Self.lingering, of: self)
        // What the socket has not taken yet goes out first; the deadline bounds that too.
        if outbound.isEmpty { sayLast() }
    }

    private func sayLast() {
        saidLast = true
        socket.shutdownWriting()
    }

    /// Ends the connection at once; its calls are recorded to have ended for that reason.
    func close(_ reason: String = "client.disconnected") {
        guard phase != .closed else { return }
        phase = .closed
        let driver = driver
        self.driver = nil
        driver?.closed(reason)
        worker.remove(self)
        worker.clientLeft(key)
        worker.connections.leave(worker: worker.index)
        if let client { worker.connections.leave(client: client) }
    }

    /// Sets how long the client has for what it has to do next.
    private func updateDeadline() {
        guard phase == .serving, let driver else { return }
        if driver.isInHead {
            let started = headStartedAt ?? worker.now
            headStartedAt = started
            return worker.setDeadline(started + timeouts.head.nanoseconds, of: self)
        }
        headStartedAt = nil
        let awaitsClient = driver.awaitsClient || !outbound.isEmpty
        if driver.progress != progress || !awaitsClient {
            progress = driver.progress
            progressedAt = worker.now
        }
        let next = min(awaitsClient ? progressedAt + timeouts.idle.nanoseconds : .max, passageEnd ?? .max)
        if next == .max { deadline = .max } else { worker.setDeadline(next, of: self) }
    }

    /// When bytes that pass without being judged one by one must end: with the client's certificate; in monotonic
    /// nanoseconds.
    private var passageEnd: Int64? {
        guard driver?.passesBytes == true, let end = context?.peer?.certificate.notAfter else { return nil }
        return worker.now + max(0, (end - worker.time).nanoseconds) + 1_000_000
    }
}
