import Audit
import Bytes
import Reactor

/// The control thread's way into the log.
final class ControlRecords {
    let queue: AuditQueue
    private let writer: AuditWriter
    private var record = AuditRecord()

    init(queue: AuditQueue, writer: AuditWriter) {
        self.queue = queue
        self.writer = writer
    }

    /// Writes a record about the gateway itself.
    ///
    /// - Returns: whether there was room for it.
    @discardableResult
    func submit(_ event: AuditEvent, issuer: String? = nil, reason: String? = nil) -> Bool {
        record.reset()
        record.member(event: event)
        if let issuer { record.member("issuer", issuer) }
        if let reason { record.member("reason", reason) }
        record.member("time", time: UnixTime(nanoseconds: Clock.civil()))
        record.finish()
        let ticket = queue.submit(record)
        writer.notify()
        return ticket != nil
    }
}
