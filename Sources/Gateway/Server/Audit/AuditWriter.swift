public import Audit
public import Logging
import Reactor
import Synchronization

/// The writer of the audit log: one thread that drains the queues of all workers into the newest file of a directory.
///
/// A record is never dropped. Where the disk is full or fails, records stay where they are, the write is tried again,
/// the queues fill, and calls are refused; ``isHealthy`` says so meanwhile, and an `alert.raised` record afterwards.
///
/// With ``AuditDurability/batched`` durability the log is written every 5 ms while there are records, and put on disk
/// within a second; with ``AuditDurability/synced`` it is put on disk before a record is acknowledged, as many records at
/// a time as came meanwhile.
///
/// A worker submits to its own queue and then calls ``notify()``, which costs a system call only where the thread sleeps.
public final class AuditWriter: Sendable {
    private let settings: AuditWriterSettings
    private let signals: AuditSignals
    private let outlets = Mutex<[AuditOutlet]>([])
    private let thread = Mutex<WorkerThread?>(nil)

    /// Makes a writer; nothing is opened before ``start()``.
    ///
    /// - Parameters:
    ///   - directory: where the log is, or is to be; made where it is not there, its parent must be.
    ///   - durability: when a record counts as accepted.
    ///   - logger: the program's own log.
    public convenience init(
        directory: String, durability: AuditDurability, logger: Logger
    ) throws(AuditWriterError) {
        try self.init(AuditWriterSettings(directory: directory, durability: durability, logger: logger))
    }

    init(_ settings: AuditWriterSettings) throws(AuditWriterError) {
        self.settings = settings
        do throws(SystemError) {
            signals = AuditSignals(bell: try AuditBell())
        } catch {
            throw .resources(error.description)
        }
    }

    /// Adds the queue of a worker, or of the control thread; before ``start()``.
    ///
    /// - Parameters:
    ///   - queue: what its one producer submits to.
    ///   - wake: called on the audit thread once records of this queue were put on disk (with `synced` durability only),
    ///     once there is room again after a record found none, and once the log is healthy again; it must not wait.
    public func register(_ queue: AuditQueue, wake: @escaping @Sendable () -> Void) {
        precondition(thread.withLock { $0 == nil }, "queues are registered before the start")
        outlets.withLock { $0.append(AuditOutlet(queue: queue, wake: wake)) }
    }

    /// Opens the log, locks it, checks its end, and begins to write; once.
    ///
    /// A line that a crash left incomplete is cut off, which an `alert.raised` record and the program's log tell.
    public func start() throws(AuditWriterError) {
        let opening: AuditOpening
        let started: WorkerThread
        do throws(SystemError) {
            opening = try AuditOpening(settings: settings, outlets: outlets.withLock { $0 }, signals: signals)
            started = try WorkerThread(name: "audit") { opening.run() }
        } catch {
            throw .resources(error.description)
        }
        if let error = opening.waitForOutcome() {
            started.join()
            throw error
        }
        thread.withLock { $0 = started }
    }

    /// Whether everything that was asked of the disk so far was done.
    public var isHealthy: Bool { signals.isHealthy.load(ordering: .acquiring) }

    /// Tells the writer that a queue has records; from any thread, after one submission or several.
    public func notify() {
        signals.bell.notify()
    }

    /// Has the writer drain the queues now: from any thread, where a record found no room.
    public func hurry() {
        signals.bell.ring()
    }

    /// Has the writer go on in a new file where the present one was moved away or deleted (USR1); from any thread.
    public func reopen() {
        signals.shallReopen.store(true, ordering: .releasing)
        signals.bell.ring()
    }

    /// Drains the queues, puts everything on disk and ends the thread; after the last submission.
    ///
    /// - Returns: whether all of it reached the disk; where that fails, it is tried for five seconds.
    @discardableResult
    public func stop() -> Bool {
        let started = thread.withLock { $0.take() }
        guard let started else { return true }
        signals.shallStop.store(true, ordering: .releasing)
        signals.bell.ring()
        started.join()
        return isHealthy
    }
}

/// A queue, and how to wake who submits to it.
struct AuditOutlet: Sendable {
    /// The queue.
    let queue: AuditQueue
    /// Wakes the producer.
    let wake: @Sendable () -> Void
}
