import Audit
import Bytes
import Cryptography
import Logging
import Reactor
import Synchronization

/// What the audit thread does: gather records into a batch, write it, put it on disk, tell who waits; again.
///
/// A batch that could not be written is kept and tried again before anything else is taken from the queues.
struct AuditWriterLoop: ~Copyable {
    private let settings: AuditWriterSettings
    private let signals: AuditSignals
    private let outlets: [AuditOutlet]
    private var log: AuditLog
    private var chain: AuditChain
    /// Lines that are not yet written, or with synced durability not yet on disk.
    private var batch = ByteQueue()
    /// How many bytes of the batch are written.
    private var written = 0
    /// Whether those bytes must be taken back, since the disk may have lost them.
    private var mustTakeBack = false
    /// The outlets whose records the batch holds.
    private var gathered: [Int] = []
    /// The outlet that is drained first: each in turn, so that none is starved by another.
    private var first = 0
    /// Since when bytes are written that are not on disk, by the monotonic clock in nanoseconds.
    private var unsyncedSince: Int64?
    private var failure: AuditFileError?
    /// What the next batch is to begin with: an alert's reason.
    private var alert: String?
    private var record = AuditRecord()

    init(
        log: consuming AuditLog, engine: CryptographicEngine, settings: AuditWriterSettings, outlets: [AuditOutlet],
        signals: AuditSignals
    ) {
        self.settings = settings
        self.signals = signals
        self.outlets = outlets
        let tail = log.tail
        chain = AuditChain(resumingAfter: tail.sequence, previous: tail.digest, engine: engine)
        self.log = log
        if tail.tornByteCount > 0 {
            settings.logger.warning(
                "the audit log ended with an incomplete line, as after a crash; it was cut off",
                metadata: ["bytes": "\(tail.tornByteCount)", "after": "\(tail.sequence)"])
            alert = "audit.torn-line: \(tail.tornByteCount) bytes cut off"
        }
    }

    /// Works until told to stop, and then until everything is on disk or patience ends.
    mutating func run() {
        var deadline: Int64?
        while true {
            // Read before the queues are, so that nothing submitted before the stop is left.
            let isStopping = signals.shallStop.load(ordering: .acquiring)
            gather()
            let hadWork = !batch.isEmpty
            attempt(isStopping: isStopping)
            if isStopping {
                if isDone { return }
                let now = Clock.monotonic()
                let end = deadline ?? now + settings.patience.nanoseconds
                deadline = end
                if failure != nil, now >= end { return giveUp() }
            }
            rest(hadWork: hadWork, isStopping: isStopping)
        }
    }

    private var isDone: Bool {
        batch.isEmpty && alert == nil && unsyncedSince == nil && outlets.allSatisfy { $0.queue.isEmpty }
    }

    private func giveUp() {
        settings.logger.critical(
            "audit records are lost: the disk failed until the gateway stopped",
            metadata: ["bytes": "\(batch.count - written)"])
    }
}

// MARK: - One turn

extension AuditWriterLoop {
    /// Fills an empty batch from the queues.
    private mutating func gather() {
        guard batch.isEmpty else { return }
        if let reason = alert {
            append(alert: reason)
            alert = nil
        }
        gathered.removeAll(keepingCapacity: true)
        for offset in outlets.indices {
            let index = (first + offset) % outlets.count
            let records = outlets[index].queue.drain(into: &chain, &batch, upTo: settings.batchByteCount)
            if records > 0 { gathered.append(index) }
        }
        first = outlets.isEmpty ? 0 : (first + 1) % outlets.count
    }

    private mutating func append(alert reason: String) {
        record.reset()
        record.member(event: .alertRaised)
        record.member("reason", reason)
        record.member("time", time: UnixTime(nanoseconds: Clock.civil()))
        record.finish()
        chain.append(record, to: &batch)
    }

    /// Does all that is due with the disk, and notes whether it could be done.
    private mutating func attempt(isStopping: Bool) {
        do throws(AuditFileError) {
            try reopenIfAsked()
            try flush()
            try synchronizeIfDue(now: isStopping)
        } catch {
            fail(error)
            return
        }
        if failure != nil { recover() }
    }

    private mutating func reopenIfAsked() throws(AuditFileError) {
        // A batch never lies in two files.
        guard written == 0, signals.shallReopen.exchange(false, ordering: .acquiring) else { return }
        do throws(AuditFileError) {
            try log.reopen()
        } catch {
            signals.shallReopen.store(true, ordering: .relaxed)
            throw error
        }
    }

    private mutating func flush() throws(AuditFileError) {
        guard !batch.isEmpty else { return }
        if mustTakeBack {
            try log.takeBack(written)
            written = 0
            mustTakeBack = false
        }
        while written < batch.count {
            written += try log.write(batch, from: written)
        }
        switch settings.durability {
        case .batched:
            if unsyncedSince == nil { unsyncedSince = Clock.monotonic() }
        case .synced:
            do throws(AuditFileError) {
                try log.synchronize()
            } catch {
                // The kernel may have dropped what it could not write, and would call a second attempt a success.
                mustTakeBack = true
                throw error
            }
        }
        settle()
    }

    /// Tells who waits for the records of the batch, or for room.
    private mutating func settle() {
        batch.removeAll()
        written = 0
        for index in gathered {
            let outlet = outlets[index]
            outlet.queue.acknowledge()
            let isStarved = outlet.queue.takeStarvation()
            if isStarved || settings.durability == .synced { outlet.wake() }
        }
    }

    private mutating func synchronizeIfDue(now: Bool) throws(AuditFileError) {
        guard let since = unsyncedSince else { return }
        guard now || Clock.monotonic() - since >= settings.syncInterval.nanoseconds else { return }
        try log.synchronize()
        unsyncedSince = nil
    }

    private mutating func fail(_ error: AuditFileError) {
        if failure != error {
            settings.logger.error(
                "the audit log cannot be written; records wait, and calls are refused once the queues are full",
                metadata: ["error": "\(error)"])
        }
        failure = error
        signals.isHealthy.store(false, ordering: .releasing)
    }

    private mutating func recover() {
        settings.logger.notice("the audit log is written again")
        alert = failure.map { "audit.failed: \($0)" }
        failure = nil
        signals.isHealthy.store(true, ordering: .releasing)
        // Who was refused for the failure, and not for want of room, waits too.
        for outlet in outlets { outlet.wake() }
    }
}

// MARK: - Between turns

extension AuditWriterLoop {
    private func rest(hadWork: Bool, isStopping: Bool) {
        if failure != nil {
            signals.bell.nap(milliseconds: milliseconds(settings.retryInterval.nanoseconds))
            return
        }
        if isStopping || alert != nil { return }
        let gathering = milliseconds(settings.batchingInterval.nanoseconds)
        switch (settings.durability, hadWork) {
        case (.batched, true):
            signals.bell.nap(milliseconds: gathering)
        case (.synced, true):
            return
        case (.batched, false):
            sleep()
            if !isAsked { signals.bell.nap(milliseconds: gathering) }
        case (.synced, false):
            sleep()
        }
    }

    /// Sleeps until there is something to do.
    private func sleep() {
        var timeout: CInt = -1
        if let since = unsyncedSince {
            timeout = milliseconds(max(0, since + settings.syncInterval.nanoseconds - Clock.monotonic()))
        }
        signals.bell.sleep(milliseconds: timeout) {
            isAsked || outlets.contains { !$0.queue.isEmpty }
        }
    }

    /// Whether another thread asks for more than that queues be drained.
    private var isAsked: Bool {
        signals.shallStop.load(ordering: .acquiring) || signals.shallReopen.load(ordering: .acquiring)
    }

    /// Whole milliseconds, rounded up.
    private func milliseconds(_ nanoseconds: Int64) -> CInt {
        CInt(clamping: (nanoseconds + 999_999) / 1_000_000)
    }
}
