import Bytes
import Configuration
import Identity
import Logging
import Reactor
import TLS

/// Serves the admin API from the control thread: on a Unix socket that the file system guards, or on a port where TLS does.
///
/// It reads requests and writes answers; what is asked is done by an ``AdminDesk``, which may answer later: a revocation is
/// answered when every worker enforces it. Its keys have a bit that no key of another endpoint of the thread has.
final class AdminServer {
    /// How long things may take, in nanoseconds.
    private enum Patience {
        static let handshake: Int64 = 5_000_000_000
        static let request: Int64 = 10_000_000_000
        static let answer: Int64 = 60_000_000_000
        static let idle: Int64 = 75_000_000_000
        static let lingering: Int64 = 2_000_000_000
    }

    private static let connectionLimit = 64
    /// How many are taken in before everything else of the control thread has its turn.
    private static let acceptedAtOnce = 16
    /// Slots are counted from 0: none reaches this bit of the key.
    private static let mark: UInt64 = 1 << 31
    private static let listenerKey = SlotKey(rawValue: mark)

    /// Does what is asked; without one nothing is done.
    weak var desk: (any AdminDesk)?

    private var configuration: AdminConfiguration
    private let listener: ListeningSocket
    private let logger: Logger
    private let buffer = ReceiveBuffer()
    private let wire = TLSWire()
    /// Who is let in, over TCP; nothing over a Unix socket.
    private var gate: AdminGate?
    private var connections = SlotMap<AdminConnection>()
    /// Who is owed an answer, by the number of the exchange.
    private var exchanges: [UInt64: SlotKey] = [:]
    private var lastExchange: UInt64 = 0
    private var isResting = false

    /// Listens; nobody is answered before the control loop turns.
    ///
    /// - Throws: ``GatewayError`` where the address cannot be listened on, or its TLS not be set up.
    init(configuration: AdminConfiguration, poller: borrowing Poller, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        gate = try Self.makeGate(configuration)
        listener = try AdminSocket.open(configuration)
        try poller.add(listener.descriptor, for: .readableLevel, key: Self.listenerKey)
        if case .unix(let path, _) = configuration, AdminSocket.isReplaceable(path) {
            logger.warning(
                "others may write to the directory of the admin socket, and put theirs in its place",
                metadata: ["address": "\(configuration.address)"])
        }
    }

    private static func makeGate(_ configuration: AdminConfiguration) throws -> AdminGate? {
        guard case .tcp(_, _, let settings) = configuration else { return nil }
        return try AdminGate(settings)
    }

    /// Where it listens, with the port that the kernel chose where that was left to it.
    var address: SocketAddress { listener.address }

    /// Takes over the mode, or the certificates and the allowed operators, of a new configuration; the address must be the
    /// old one.
    ///
    /// Operators who are connected by the old rules are sent away as soon as they are answered.
    ///
    /// - Throws: ``GatewayError``, and then nothing has changed.
    func adopt(_ configuration: AdminConfiguration) throws {
        let fresh = try Self.makeGate(configuration)
        if case .unix(_, let before) = self.configuration, case .unix(_, let after) = configuration {
            guard before != after else { return }
            try AdminSocket.setMode(configuration)
        }
        self.configuration = configuration
        gate = fresh
        for connection in connections.elements {
            connection.hangUp()
            pump(connection)
            if connection.isOver { remove(connection) }
        }
    }

    /// Ends: no operator is answered any more, and the Unix socket is removed.
    func stop() {
        connections.removeAll { _ in true }
        exchanges.removeAll()
        AdminSocket.remove(configuration)
    }

    // MARK: The control loop

    /// Whether an event of that key is this server's.
    static func owns(_ key: SlotKey) -> Bool { key.rawValue & mark != 0 }

    /// Milliseconds until ``tick(poller:)`` has something to do, if ever.
    var delay: Int64? {
        let all = connections.elements
        if all.contains(where: \.canReadOn) { return 0 }
        let first = all.map(\.deadline).min().map { max(0, $0 - Clock.monotonic()) / 1_000_000 + 1 }
        return isResting ? min(1000, first ?? 1000) : first
    }

    /// Sends away who was slow, goes on with who had to wait, and accepts again after a rest.
    func tick(poller: borrowing Poller) {
        let now = Clock.monotonic()
        for connection in connections.elements {
            if connection.deadline <= now { expire(connection) } else if connection.canReadOn { serve(connection) }
            if connection.isOver { remove(connection) }
        }
        guard isResting else { return }
        isResting = (try? poller.add(listener.descriptor, for: .readableLevel, key: Self.listenerKey)) == nil
    }

    /// Does what an event of the control thread's poller says.
    func ready(_ event: Poller.Event, poller: borrowing Poller) {
        if event.key == Self.listenerKey { return accept(poller) }
        guard let connection = connections[SlotKey(rawValue: event.key.rawValue & ~Self.mark)] else { return }
        serve(connection)
        if connection.isOver { remove(connection) }
    }

    /// Answers an exchange; one that is answered already, or whose operator has left, is passed over.
    func answer(_ id: UInt64, _ answer: AdminAnswer) {
        guard let key = exchanges.removeValue(forKey: id), let connection = connections[key], connection.exchange == id
        else { return }
        send(AdminResponse(answer), to: connection)
        pump(connection)
    }

    // MARK: Connections

    /// Takes some in; the kernel tells again of the others, after everybody else has had a turn.
    private func accept(_ poller: borrowing Poller) {
        for _ in 0..<Self.acceptedAtOnce {
            switch listener.accept() {
            case .connection(let socket, from: let address): admit(socket, address, poller)
            case .none: return
            case .exhausted(let error):
                logger.warning("cannot accept operators for a while", metadata: ["reason": "\(error)"])
                // The kernel would report again at once.
                poller.remove(listener.descriptor)
                isResting = true
                return
            }
        }
    }

    private func admit(_ socket: consuming Socket, _ address: SocketAddress, _ poller: borrowing Poller) {
        guard makeRoom() else { return }
        let credentials = gate == nil ? socket.peerCredentials : nil
        guard gate != nil || credentials != nil else { return }
        do {
            let connection = try AdminConnection(
                socket, address: credentials.map { AdminActor.process($0).text } ?? "\(address)",
                context: gate?.context, wire: wire,
                deadline: Clock.monotonic() + (gate == nil ? Patience.request : Patience.handshake))
            connection.actor = credentials.map(AdminActor.process)
            connection.key = connections.insert(connection)
            let marked = SlotKey(rawValue: connection.key.rawValue | Self.mark)
            do { try poller.add(connection.socket.descriptor, for: .everything, key: marked) } catch {
                return remove(connection)
            }
            // Whoever has something to say has often said it by now, and is then no silent one.
            serve(connection)
            if connection.isOver { remove(connection) }
        } catch {
            logger.error("cannot serve an operator", metadata: ["reason": "\(error)"])
        }
    }

    /// Makes room for somebody who comes.
    ///
    /// Silent connections must not keep an operator out: the one that has been silent longest goes, then one whose handshake
    /// does not end. Who has shown who it is stays, unless nothing is under way and there is nobody else.
    private func makeRoom() -> Bool {
        guard connections.count >= Self.connectionLimit else { return true }
        let idle = connections.elements.filter { $0.exchange == nil }
        let groups = [idle.filter { !$0.hasSpoken }, idle.filter { $0.hasSpoken && $0.actor == nil }, idle]
        guard let group = groups.first(where: { !$0.isEmpty }),
            let oldest = group.min(by: { $0.deadline < $1.deadline })
        else { return false }
        remove(oldest)
        return true
    }

    /// Whoever is still to be answered is not waited for: what was asked is done all the same.
    private func remove(_ connection: AdminConnection) {
        if let id = connection.exchange { exchanges[id] = nil }
        connections.remove(connection.key)
    }

    private func expire(_ connection: AdminConnection) {
        guard let id = connection.exchange else {
            remove(connection)
            return
        }
        answer(
            id,
            .refused(
                .unavailable("the gateway has not finished in time; see its state and its log before you ask again")))
    }

    private func serve(_ connection: AdminConnection) {
        let wasIdle = connection.isIdle
        if let session = connection.receive(buffer, now: UnixTime(nanoseconds: Clock.civil())) {
            identify(connection, session)
        }
        if let reason = connection.takeRefusal() { note(connection, reason) }
        if wasIdle, !connection.isIdle { connection.deadline = Clock.monotonic() + Patience.request }
        pump(connection)
    }

    /// The handshake is done: finds out whose certificate it was.
    private func identify(_ connection: AdminConnection, _ session: TLSSession) {
        connection.deadline = Clock.monotonic() + Patience.request
        guard let gate else { return }
        do throws(CertificateRefusal) {
            let peer = try gate.peer(of: session)
            connection.peer = peer
            connection.actor = gate.allows(peer).map(AdminActor.workload)
        } catch {
            note(connection, error.reason)
        }
    }

    private func note(_ connection: AdminConnection, _ reason: String) {
        logger.debug("an operator was refused", metadata: ["peer": "\(connection.address)", "reason": "\(reason)"])
        desk?.refusedOperator(peer: connection.address, reason: reason)
    }

    // MARK: Requests

    /// Reads requests and has them done until one is not answered at once, or there are no more.
    private func pump(_ connection: AdminConnection) {
        guard !connection.isBusy else { return }
        connection.isBusy = true
        defer { connection.isBusy = false }
        loop: while true {
            switch connection.next() {
            case .nothing: break loop
            case .request(let message): handle(message, connection)
            case .fault(let refusal): send(AdminResponse(.refused(refusal)), to: connection, isLast: true)
            }
            connection.settle()
        }
        connection.settle()
        if connection.isLingering {
            connection.deadline = min(connection.deadline, Clock.monotonic() + Patience.lingering)
        }
    }

    private func handle(_ message: AdminMessage, _ connection: AdminConnection) {
        let now = UnixTime(nanoseconds: Clock.civil())
        do throws(AdminRefusal) {
            let actor = try authenticated(connection, now)
            let request = try AdminRouter.request(message, now: now)
            guard let desk else { throw .unavailable("the gateway starts or ends; ask again in a moment") }
            lastExchange += 1
            connection.exchange = lastExchange
            connection.deadline = Clock.monotonic() + Patience.answer
            exchanges[lastExchange] = connection.key
            desk.handle(request, by: actor, reply: AdminReply(id: lastExchange, server: self))
        } catch {
            let isStranger = error.status == 401 || error.status == 403
            send(AdminResponse(.refused(error)), to: connection, isLast: isStranger)
        }
    }

    /// Who asks: judged at each request, since a certificate ends, and may be revoked, while its owner is connected.
    private func authenticated(
        _ connection: AdminConnection, _ now: UnixTime
    ) throws(AdminRefusal) -> AdminActor {
        guard gate != nil else {
            guard let actor = connection.actor else { throw .forbidden("it is not known who asks") }
            return actor
        }
        guard let peer = connection.peer else { throw .forbidden("the certificate is not an operator's") }
        if peer.isExpired(at: now) {
            note(connection, "certificate.expired")
            throw AdminRefusal(status: 401, code: "unauthorized", detail: "the certificate has expired; renew it")
        }
        guard let actor = connection.actor else {
            note(connection, "admin.not-allowed")
            let name = peer.spiffeID?.text ?? "the certificate's owner"
            throw .forbidden("\(name) is not in admin.allow; use another certificate, or have it added")
        }
        if desk?.isRevoked(peer) == true {
            note(connection, "admin.revoked")
            throw AdminRefusal(status: 401, code: "unauthorized", detail: "the certificate is revoked; use another")
        }
        return actor
    }

    private func send(_ response: AdminResponse, to connection: AdminConnection, isLast: Bool = false) {
        if let id = connection.exchange { exchanges[id] = nil }
        connection.send(response, isLast: isLast)
        connection.deadline = Clock.monotonic() + Patience.idle
    }
}
