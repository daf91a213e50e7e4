import Bytes
import Synchronization

/// How many client connections there are: in all, against the limit; of each worker, so that draining has an end; and of
/// each client certificate, so that no client crowds the others out.
final class ConnectionCount: Sendable {
    /// Whether a connection whose handshake has shown a certificate may stay.
    enum Admission: Equatable {
        case admitted
        /// It may, if one of that other client's goes.
        case inPlace(of: Digest256)
        case refused
    }

    private struct Clients {
        var counts: [Digest256: Int] = [:]
        var total = 0
    }

    private let total = Atomic<Int>(0)
    private let limit: Atomic<Int>
    private let perWorker: [Counter]
    private let clients = Mutex(Clients())
    private let limitPerClient = Atomic<Int>(0)

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    init(limit: Int, workers: Int) {
        self.limit = Atomic(limit)
        perWorker = (0..<workers).map { _ in Counter() }
    }

    /// How many connections beyond the limit may be in their handshakes: only behind it is known who calls, and that
    /// somebody has less than a fair share.
    static func headroom(of limit: Int) -> Int { max(8, limit / 16) }

    /// Counts a new connection; false where there are too many already.
    func enter(worker: Int) -> Bool {
        let limit = limit.load(ordering: .relaxed)
        guard total.add(1, ordering: .relaxed).newValue <= limit + Self.headroom(of: limit) else {
            total.subtract(1, ordering: .relaxed)
            return false
        }
        perWorker[worker].value.add(1, ordering: .relaxed)
        return true
    }

    /// Counts a connection whose handshake is done.
    ///
    /// Where the limit is met, the client that has most makes room for one that has less than its share of all, and for
    /// nobody else. All that show no certificate are one client here.
    ///
    /// - Parameter isNamed: whether the client has shown a certificate.
    func enter(client: Digest256, isNamed: Bool) -> Admission {
        let limit = limit.load(ordering: .relaxed)
        let own = limitPerClient.load(ordering: .relaxed)
        return clients.withLock { clients in
            let count = clients.counts[client, default: 0]
            if isNamed, own > 0, count >= own { return .refused }
            var admission = Admission.admitted
            if clients.total >= limit {
                let share = max(1, limit / (clients.counts.count + (count == 0 ? 1 : 0)))
                guard count < share, let greediest = clients.counts.max(by: { $0.value < $1.value }),
                    greediest.value > share
                else { return .refused }
                admission = .inPlace(of: greediest.key)
            }
            clients.counts[client] = count + 1
            clients.total += 1
            return admission
        }
    }

    /// Counts the end of such a connection.
    func leave(client: Digest256) {
        clients.withLock { clients in
            let count = clients.counts[client, default: 1]
            clients.counts[client] = count > 1 ? count - 1 : nil
            clients.total -= 1
        }
    }

    /// Counts the end of a connection.
    func leave(worker: Int) {
        total.subtract(1, ordering: .relaxed)
        perWorker[worker].value.subtract(1, ordering: .relaxed)
    }

    /// Moves the limits; connections that there are stay.
    ///
    /// - Parameters:
    ///   - limit: of all.
    ///   - perClient: of those with one certificate; 0: no limit.
    func setLimit(_ limit: Int, perClient: Int) {
        self.limit.store(limit, ordering: .relaxed)
        limitPerClient.store(perClient, ordering: .relaxed)
    }

    /// The number of connections.
    var count: Int { total.load(ordering: .relaxed) }

    /// Whether a worker has any.
    func isServed(by worker: Int) -> Bool {
        perWorker[worker].value.load(ordering: .relaxed) > 0
    }
}
