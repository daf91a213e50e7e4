import Bytes
import Configuration
import HTTP
import HTTP1
import Reactor

/// Answers `/healthz`, `/readyz` and `/metrics` on an address of its own, from the control thread: plain HTTP, for orchestrators.
final class ObservabilityServer {
    /// Whether the gateway should be sent calls.
    enum Health: Equatable {
        case ready
        case notReady(String)
    }

    /// What there is to tell.
    struct State {
        let health: Health
        /// The metrics in the text format of Prometheus; made only where somebody asks.
        let metrics: () -> String
    }

    private final class Connection {
        let socket: Socket
        var machine = HTTP1ServerConnection(limits: HeadLimits(bytes: 8 << 10, count: 64), bodyLimit: 4 << 10)
        var head = RequestHead()
        var inbound = ByteQueue()
        var outbound = ByteQueue()
        let deadline: Int64
        var isAnswered = false
        var isOver = false

        init(_ socket: consuming Socket, deadline: Int64) {
            self.socket = consume socket
            self.deadline = deadline
        }
    }

    private let listener: ListeningSocket
    private let buffer = ReceiveBuffer()
    private var connections = SlotMap<Connection>()
    private static let listenerKey = SlotKey(rawValue: 3)
    private static let connectionLimit = 64
    private var isResting = false
    /// How long one connection may last, in nanoseconds.
    private static let lifetime: Int64 = 10_000_000_000

    init(address: ListenAddress, poller: borrowing Poller) throws {
        do {
            switch address {
            case .ip(let host, let port):
                guard let address = try SocketAddress.resolve(host: host, port: port).first else {
                    throw SystemError("getaddrinfo", code: 2)
                }
                listener = try ListeningSocket(address, isExclusive: true)
            case .unix(let path):
                try ListenerSockets.removeStale(path)
                listener = try ListeningSocket(.unix(path))
            }
            try poller.add(listener.descriptor, for: .readableLevel, key: Self.listenerKey)
        } catch {
            throw GatewayError("observability.address \(address) cannot be listened on (\(error)); is it free?")
        }
    }

    /// Whether ``tick(poller:)`` has something to do in a second.
    var needsTick: Bool { connections.count > 0 || isResting }

    /// Drops who was slow, and accepts again after a rest.
    func tick(poller: borrowing Poller) {
        let now = Clock.monotonic()
        connections.removeAll(where: { $0.deadline < now })
        guard isResting else { return }
        isResting = (try? poller.add(listener.descriptor, for: .readableLevel, key: Self.listenerKey)) == nil
    }

    /// Makes room for who asks now: silent connections must not keep an orchestrator out.
    private func dropOldest() {
        let oldest = connections.elements.map(\.deadline).min()
        connections.removeAll(where: { $0.deadline == oldest })
    }

    /// Does what an event of the control thread's poller says.
    ///
    /// - Parameters:
    ///   - event: what the kernel reports.
    ///   - state: what there is to tell.
    ///   - poller: the control thread's.
    func ready(_ event: Poller.Event, state: State, poller: borrowing Poller) {
        if event.key == Self.listenerKey {
            accept(poller)
        } else if let connection = connections[event.key] {
            serve(connection, state)
            if connection.isOver { connections.remove(event.key) }
        }
    }

    private func accept(_ poller: borrowing Poller) {
        while true {
            switch listener.accept() {
            case .connection(let socket, from: _):
                if connections.count >= Self.connectionLimit { dropOldest() }
                let connection = Connection(socket, deadline: Clock.monotonic() + Self.lifetime)
                let key = connections.insert(connection)
                do { try poller.add(connection.socket.descriptor, for: .everything, key: key) } catch {
                    connections.remove(key)
                }
            case .none: return
            case .exhausted:
                // The kernel would report again at once.
                poller.remove(listener.descriptor)
                isResting = true
                return
            }
        }
    }

    private func serve(_ connection: Connection, _ state: State) {
        flush(connection)
        while !connection.isOver, connection.outbound.isEmpty {
            switch buffer.read(from: connection.socket) {
            case .moved(let count): buffer.with(count) { connection.inbound.append($0) }
            case .wouldBlock: return answer(connection, state)
            case .ended, .failed: connection.isOver = true
            }
            answer(connection, state)
        }
    }

    private func answer(_ connection: Connection, _ state: State) {
        var bytes = ByteQueue()
        swap(&bytes, &connection.inbound)
        loop: while !bytes.isEmpty {
            switch connection.machine.input(bytes.readable, head: &connection.head) {
            case .needMore(let consumed):
                bytes.consume(consumed)
                break loop
            case .request(let consumed, let hasBody):
                bytes.consume(consumed)
                if !hasBody { respond(connection, state) }
            case .body(_, _, let consumed):
                bytes.consume(consumed)
            case .endOfBody(let consumed):
                bytes.consume(consumed)
                respond(connection, state)
            case .waiting, .tunnel:
                break loop
            case .refused:
                connection.isOver = true
                break loop
            }
        }
        swap(&bytes, &connection.inbound)
        flush(connection)
    }

    private func respond(_ connection: Connection, _ state: State) {
        var response = ResponseHead()
        var text = "ok\n"
        var contentType = "text/plain; charset=utf-8"
        response.status = 200
        let path = connection.head.target.withReadable { String(validating: $0) ?? "" }
        switch path {
        case "/healthz": break
        case "/readyz":
            if case .notReady(let reason) = state.health {
                response.status = 503
                text = "\(reason)\n"
            }
        case "/metrics":
            text = state.metrics()
            contentType = "text/plain; version=0.0.4; charset=utf-8"
        default:
            response.status = 404
            text = "there are /healthz, /readyz and /metrics\n"
        }
        let body = Array(text.utf8)
        response.framing = .length(UInt64(body.count))
        response.fields.append(.contentType, value: contentType.utf8.span)
        response.fields.append(.cacheControl, value: "no-store".utf8.span)
        // One answer a connection: an orchestrator asks now and then, and nobody can make answers gather here.
        connection.machine.closeAfterAnswer()
        connection.machine.sendHead(response, into: &connection.outbound)
        connection.machine.sendBody(body.span, into: &connection.outbound)
        connection.machine.endBody(into: &connection.outbound)
        connection.isAnswered = true
    }

    private func flush(_ connection: Connection) {
        while !connection.outbound.isEmpty {
            switch connection.outbound.withReadable({ connection.socket.write($0) }) {
            case .moved(let count): connection.outbound.consume(count)
            case .wouldBlock: return
            case .ended, .failed:
                connection.isOver = true
                return
            }
        }
        if connection.isAnswered { connection.isOver = true }
    }
}
