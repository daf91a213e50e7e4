import Synchronization

/// How many client connections there are: in all, against the limit, and of each worker, so that draining has an end.
final class ConnectionCount: Sendable {
    private let total = Atomic<Int>(0)
    private let limit: Atomic<Int>
    private let perWorker: [Counter]

    private final class Counter: Sendable {
        let value = Atomic<Int>(0)
    }

    init(limit: Int, workers: Int) {
        self.limit = Atomic(limit)
        perWorker = (0..<workers).map { _ in Counter() }
    }

    /// Counts a new connection; false where there are too many already.
    func enter(worker: Int) -> Bool {
        guard total.add(1, ordering: .relaxed).newValue <= limit.load(ordering: .relaxed) else {
            total.subtract(1, ordering: .relaxed)
            return false
        }
        perWorker[worker].value.add(1, ordering: .relaxed)
        return true
    }

    /// Counts the end of a connection.
    func leave(worker: Int) {
        total.subtract(1, ordering: .relaxed)
        perWorker[worker].value.subtract(1, ordering: .relaxed)
    }

    /// Moves the limit; connections that there are stay.
    func setLimit(_ limit: Int) {
        self.limit.store(limit, ordering: .relaxed)
    }

    /// The number of connections.
    var count: Int { total.load(ordering: .relaxed) }

    /// Whether a worker has any.
    func isServed(by worker: Int) -> Bool {
        perWorker[worker].value.load(ordering: .relaxed) > 0
    }
}
