public import Audit

/// Where and how decisions are recorded.
public struct AuditConfiguration: Equatable, Sendable {
    /// The directory of the log, as the process can open it.
    public var directory: String
    /// When a record counts as accepted.
    public var durability: AuditDurability
    /// What becomes of a request whose record finds the queue full.
    public var whenFull: FullAuditQueue
}

/// What becomes of a request whose record finds the audit queue full.
public enum FullAuditQueue: String, CaseIterable, Sendable {
    /// It is refused (503).
    case deny
    /// It waits for room.
    case wait
}
