import Audit
import Bytes
import Reactor

/// What a record about the gateway itself says beside its event.
struct ControlRecord: Equatable {
    let event: AuditEvent
    /// Who did it, where somebody did.
    var by: String?
    /// How many there were.
    var count: UInt64?
    /// Until when it holds.
    var expiresAt: UnixTime?
    /// The identifier of a revocation.
    var id: String?
    /// The issuer that it is about.
    var issuer: String?
    /// The level of a revocation.
    var level: String?
    /// Why.
    var reason: String?
    /// Where it came from: `admin`, or `feed:NAME`.
    var source: String?
    /// What was revoked.
    var value: String?
    /// When it happened.
    var time = UnixTime(nanoseconds: Clock.civil())

    init(_ event: AuditEvent, by: String? = nil, issuer: String? = nil, reason: String? = nil) {
        self.event = event
        self.by = by
        self.issuer = issuer
        self.reason = reason
    }
}

/// The control thread's way into the log.
///
/// What the log has no room for waits here, in order: nothing of it may be lost, and there is little of it.
final class ControlRecords {
    let queue: AuditQueue
    private let writer: AuditWriter
    private var record = AuditRecord()
    private var backlog: [ControlRecord] = []

    init(queue: AuditQueue, writer: AuditWriter) {
        self.queue = queue
        self.writer = writer
    }

    /// Whether records wait for room.
    var isBacklogged: Bool { !backlog.isEmpty }

    /// Writes a record about the gateway itself, now or as soon as there is room for it.
    func submit(_ event: AuditEvent, by: String? = nil, issuer: String? = nil, reason: String? = nil) {
        submit(ControlRecord(event, by: by, issuer: issuer, reason: reason))
    }

    /// Writes a record about the gateway itself, now or as soon as there is room for it.
    func submit(_ record: ControlRecord) {
        backlog.append(record)
        retry()
    }

    /// Writes what waits, as far as there is room.
    func retry() {
        guard !backlog.isEmpty else { return }
        var written = 0
        while written < backlog.count, write(backlog[written]) { written += 1 }
        backlog.removeFirst(written)
        writer.notify()
    }

    private func write(_ content: ControlRecord) -> Bool {
        record.reset()
        if let by = content.by { record.member("by", by) }
        if let count = content.count { record.member("count", number: count) }
        record.member(event: content.event)
        if let expiresAt = content.expiresAt { record.member("expires_at", time: expiresAt) }
        if let id = content.id { record.member("id", id) }
        if let issuer = content.issuer { record.member("issuer", issuer) }
        if let level = content.level { record.member("level", level) }
        if let reason = content.reason { record.member("reason", reason) }
        if let source = content.source { record.member("source", source) }
        record.member("time", time: content.time)
        if let value = content.value { record.member("value", value) }
        record.finish()
        return queue.submit(record) != nil
    }
}
