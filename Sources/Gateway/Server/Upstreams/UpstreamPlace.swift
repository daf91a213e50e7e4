import Configuration
import Reactor
import TLS
import Upstream

/// One endpoint of an upstream, with a worker's connections to it.
///
/// The connections are kept here and nowhere else: whatever makes a connection trustworthy (the upstream, what it speaks,
/// its TLS settings, the address, and the client where it began with that one's name) is the same for all that are kept
/// together.
final class UpstreamPlace {
    /// Outlives the place's use: a connection holds both.
    unowned let group: UpstreamGroup
    let endpoint: UpstreamEndpoint
    let identity: UpstreamIdentity
    let context: TLSContext?
    /// Whether a reload or a look-up of names has put another in its place.
    private(set) var isRetired = false
    private unowned let worker: Worker
    /// When the operator was last told that something is wrong here.
    private var warnedAt = Int64.min
    /// How often that is told at most, in nanoseconds.
    private static let warningInterval: Int64 = 10_000_000_000
    private var idle = IdlePool(limit: 256)
    /// Idle connections that began with the name of one client, by the key of that one's connection.
    private var idleOfClients: [SlotKey: IdlePool] = [:]
    /// Connections that carry several requests at a time.
    private var shared: [UpstreamConnection] = []
    /// Requests that wait until it is known how many a new connection takes; see ``hasRoom()``.
    private var waiting: [Delivery] = []

    init(_ endpoint: UpstreamEndpoint, of plan: TargetPlan, group: UpstreamGroup, worker: Worker) {
        self.endpoint = endpoint
        identity = plan.identity
        context = plan.context
        self.group = group
        self.worker = worker
    }

    /// Whether it is time to tell the operator that something is wrong here.
    func mayWarn(now: Int64) -> Bool {
        guard warnedAt == .min || now - warnedAt >= Self.warningInterval else { return false }
        warnedAt = now
        return true
    }

    /// A connection that can take a request of that client now, or nothing.
    func available(to client: ProxiedClient?) -> UpstreamConnection? {
        if let client {
            while let key = idleOfClients[client.key]?.pop() {
                if let connection = worker.endpoint(key) as? UpstreamConnection { return connection }
            }
            return nil
        }
        if group.sharesConnections { return shared.first { $0.canServe } }
        while let key = idle.pop() {
            if let connection = worker.endpoint(key) as? UpstreamConnection { return connection }
        }
        return nil
    }

    /// Whether a request should wait for a connection that is being made rather than have another made.
    var isOpening: Bool { group.sharesConnections && shared.contains { !$0.isSettled } }

    /// Has a request wait for a connection.
    func wait(_ delivery: Delivery) {
        waiting.append(delivery)
    }

    /// Forgets a request that waits no more.
    func forget(_ delivery: Delivery) {
        waiting.removeAll { $0 === delivery }
    }

    /// A connection may take more requests, or there is one connection less: those that wait are served while there is room,
    /// and by a new connection where there is none.
    func hasRoom() {
        while !waiting.isEmpty {
            guard !isOpening || shared.contains(where: \.canServe) else { return }
            waiting.removeFirst().serve(by: self)
        }
    }

    /// A connection could not be made: what waited for it cannot be served here either.
    func couldNotOpen(_ failure: UpstreamFailure) {
        guard shared.isEmpty else { return hasRoom() }
        let deliveries = waiting
        waiting = []
        for delivery in deliveries { delivery.failed(failure) }
    }

    /// Takes note of a new connection.
    func opened(_ connection: UpstreamConnection) {
        group.balancer.connectionOpened()
        if group.sharesConnections, connection.client == nil, connection.servesCalls { shared.append(connection) }
    }

    /// Takes note of a connection's end.
    func closed(_ connection: UpstreamConnection) {
        group.balancer.connectionClosed()
        shared.removeAll { $0 === connection }
    }

    /// Keeps an idle connection for later requests.
    func keep(_ connection: UpstreamConnection) {
        guard !isRetired else { return connection.close() }
        guard let client = connection.client else {
            guard !group.sharesConnections, let evicted = idle.push(connection.key) else { return }
            (worker.endpoint(evicted) as? UpstreamConnection)?.close()
            return
        }
        guard worker.endpoint(client.key) != nil else { return connection.close() }
        _ = idleOfClients[client.key, default: IdlePool(limit: 256)].push(connection.key)
    }

    /// Forgets an idle connection that has ended.
    func forget(_ connection: UpstreamConnection) {
        guard let client = connection.client else { return idle.remove(connection.key) }
        idleOfClients[client.key]?.remove(connection.key)
        if idleOfClients[client.key]?.count == 0 { idleOfClients[client.key] = nil }
    }

    /// Closes the idle connections that began with the name of a client that is gone.
    func clientLeft(_ client: SlotKey) {
        guard var pool = idleOfClients.removeValue(forKey: client) else { return }
        for key in pool.removeAll() { (worker.endpoint(key) as? UpstreamConnection)?.close() }
    }

    /// Closes an idle connection, to make room for another; false where there is none.
    func closeIdle() -> Bool {
        if let key = idle.pop() {
            (worker.endpoint(key) as? UpstreamConnection)?.close()
            return true
        }
        if let connection = shared.first(where: \.isUnused) {
            connection.close()
            return true
        }
        guard let client = idleOfClients.keys.first else { return false }
        clientLeft(client)
        return true
    }

    /// Closes what nobody uses; what is in use closes behind its last request.
    func retire() {
        isRetired = true
        for key in idle.removeAll() { (worker.endpoint(key) as? UpstreamConnection)?.close() }
        for client in Array(idleOfClients.keys) { clientLeft(client) }
        for connection in shared { connection.retire() }
    }
}
