/// When a record counts as accepted by the log.
public enum AuditDurability: String, Sendable {
    /// Once the log's queue has it: it is written within milliseconds and on disk within a second.
    case batched
    /// Once it is on disk.
    case synced
}
