import Reactor
import Upstream

/// One address of an upstream, with a worker's connections to it.
///
/// The connections are kept here and nowhere else, so that whatever makes a connection trustworthy (the upstream, its
/// TLS settings, the address) is the same for all that may be used in its stead.
final class UpstreamPlace {
    unowned let group: UpstreamGroup
    let address: SocketAddress
    private unowned let worker: Worker
    private var idle = IdlePool(limit: 256)
    /// Connections that carry several requests at a time.
    private var shared: [UpstreamConnection] = []

    init(_ address: SocketAddress, group: UpstreamGroup, worker: Worker) {
        self.address = address
        self.group = group
        self.worker = worker
    }

    /// A connection that can take a request now, or nothing.
    func available() -> UpstreamConnection? {
        if group.sharesConnections { return shared.first { $0.canServe } }
        while let key = idle.pop() {
            if let connection = worker.endpoint(key) as? UpstreamConnection { return connection }
        }
        return nil
    }

    /// Takes note of a new connection.
    func opened(_ connection: UpstreamConnection) {
        if group.sharesConnections { shared.append(connection) }
    }

    /// Takes note of a connection's end.
    func closed(_ connection: UpstreamConnection) {
        if group.sharesConnections { shared.removeAll { $0 === connection } }
    }

    /// Keeps a connection for later requests.
    func keep(_ connection: UpstreamConnection) {
        guard !group.sharesConnections, let evicted = idle.push(connection.key) else { return }
        (worker.endpoint(evicted) as? UpstreamConnection)?.close()
    }

    /// Forgets an idle connection that has ended.
    func forget(_ connection: UpstreamConnection) {
        idle.remove(connection.key)
    }

    /// Closes what nobody uses; what is in use closes behind its last request.
    func retire() {
        for key in idle.removeAll() { (worker.endpoint(key) as? UpstreamConnection)?.close() }
        for connection in shared { connection.retire() }
    }
}
