import Audit

/// A worker's way into the log.
///
/// What an allowed call's last record needs is set aside when its first is accepted, so that a call which reached an
/// upstream can always be recorded to its end, however full the log gets meanwhile.
final class AuditSink {
    /// What became of a record.
    enum Outcome: ~Copyable {
        /// The log has it, and will say when it is as safe as configured.
        case taken(AuditTicket)
        /// There is no room now.
        case full
        /// There never will be: it is larger than the log takes.
        case tooLarge
    }

    let queue: AuditQueue
    private let durability: AuditDurability
    private let writer: AuditWriter
    private var setAside = 0
    /// Records that found no room, of refusals and of refused connections: told in an `alert.raised` once there is some.
    private(set) var unrecorded: UInt64 = 0

    init(queue: AuditQueue, durability: AuditDurability, writer: AuditWriter) {
        self.queue = queue
        self.durability = durability
        self.writer = writer
    }

    /// Offers the record of a decision.
    ///
    /// - Parameters:
    ///   - record: finished.
    ///   - reserve: the room in bytes to set aside for a later record.
    func submit(_ record: borrowing AuditRecord, reserving reserve: Int) -> Outcome {
        guard queue.canEverHold(record) else { return .tooLarge }
        // What a failing disk has not taken would be lost with the power: no more is promised until it works again.
        guard writer.isHealthy else { return .full }
        guard let ticket = queue.submit(record, leaving: setAside + reserve) else {
            writer.hurry()
            return .full
        }
        setAside += reserve
        writer.notify()
        return .taken(ticket)
    }

    /// Gives the last record of an allowed call, whose room was set aside.
    func complete(_ record: borrowing AuditRecord, reserved: Int) {
        setAside -= reserved
        guard queue.submit(record, leaving: setAside) != nil else { return countUnrecorded() }
        writer.notify()
    }

    /// Whether a record is as safe as configured.
    func isSafe(_ ticket: borrowing AuditTicket) -> Bool {
        queue.isSafe(ticket, durability: durability)
    }

    /// Exchanges the ticket of an allowed request's record, once it is safe, for the evidence of that.
    func redeem(_ ticket: consuming AuditTicket) -> AuditReceipt? {
        queue.redeem(ticket, durability: durability)
    }

    /// Whether the disk takes what it is given.
    var isHealthy: Bool { writer.isHealthy }

    /// Counts a record that found no room.
    func countUnrecorded() {
        unrecorded += 1
    }

    /// Forgets the count, once it is told.
    func forgetUnrecorded() {
        unrecorded = 0
    }
}
