import Bytes
import Reactor
import Synchronization

/// What the resolver's thread does, and where it is told what to do.
final class ResolverDesk: Sendable {
    private struct Order {
        let names: [String: Interval]
        let known: [String: [SocketAddress]]
    }

    private struct Inbox {
        var orders: [Order] = []
        var isStopped = false
    }

    private let lookup: @Sendable (String) -> NameAnswer?
    private let listener: Resolver.Listener
    private let inbox = Mutex(Inbox())
    private let bell: Wakeup

    init(
        lookup: @escaping @Sendable (String) -> NameAnswer?, listener: @escaping Resolver.Listener
    ) throws(SystemError) {
        self.lookup = lookup
        self.listener = listener
        bell = try Wakeup()
    }

    func watch(_ names: [String: Interval], known: [String: [SocketAddress]]) {
        inbox.withLock { $0.orders.append(Order(names: names, known: known)) }
        bell.ring()
    }

    func stop() {
        inbox.withLock { $0.isStopped = true }
        bell.ring()
    }

    /// Runs until it is stopped.
    func run() {
        var schedule = NameSchedule()
        while takeOrders(&schedule) {
            if let name = schedule.firstDue(now: now) {
                let answer = lookup(name)
                let hasChanged = schedule.finished(name, answer, now: now)
                // An order that came meanwhile counts first: what it does not name is not told.
                guard takeOrders(&schedule) else { return }
                if hasChanged { listener(schedule.addresses) }
            } else {
                bell.wait(timeout: patience(schedule))
            }
        }
    }

    /// Does what the inbox says; false where that is to stop.
    private func takeOrders(_ schedule: inout NameSchedule) -> Bool {
        let (orders, isStopped) = inbox.withLock { inbox in
            defer { inbox.orders = [] }
            return (inbox.orders, inbox.isStopped)
        }
        for order in orders { schedule.watch(order.names, known: order.known, now: now) }
        return !isStopped
    }

    private var now: MonotonicTime { MonotonicTime(nanoseconds: Clock.monotonic()) }

    /// How long to wait, in milliseconds: until the next look-up is due.
    private func patience(_ schedule: NameSchedule) -> Int32 {
        guard let due = schedule.nextDue else { return 600_000 }
        let left = (due - now).nanoseconds / 1_000_000 + 1
        return Int32(max(0, min(left, 600_000)))
    }
}
