import Synchronization

/// What other threads and the audit thread tell one another.
final class AuditSignals: Sendable {
    /// Wakes the audit thread.
    let bell: AuditBell
    /// Whether the last thing asked of the disk was done.
    let isHealthy = Atomic<Bool>(true)
    /// Whether the file is to be looked for again.
    let shallReopen = Atomic<Bool>(false)
    /// Whether the thread is to drain the queues and end.
    let shallStop = Atomic<Bool>(false)

    init(bell: AuditBell) {
        self.bell = bell
    }
}
