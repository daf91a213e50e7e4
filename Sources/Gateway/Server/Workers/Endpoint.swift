import Reactor

/// Something that a worker watches: a listener, a client's connection, an upstream's.
///
/// It lives in the worker's slot map and is reached by its key, so an event for one that is gone finds nothing.
class Endpoint {
    unowned let worker: Worker
    final var key = SlotKey(rawValue: 0)
    /// When ``deadlinePassed()`` is due, in monotonic nanoseconds; moved by a store, see ``Worker/setDeadline(_:of:)``.
    final var deadline = Int64.max
    /// The earliest entry of the timer wheel for this endpoint.
    final var wheelTime = Int64.max
    /// Whether ``flush()`` is due at the end of the tick.
    final var isDirty = false

    init(worker: Worker) {
        self.worker = worker
    }

    /// The kernel reports.
    func ready(_ readiness: Poller.Readiness) {}

    /// The deadline has passed.
    func deadlinePassed() {}

    /// The tick ends: what has gathered is to be written.
    func flush() {}
}
