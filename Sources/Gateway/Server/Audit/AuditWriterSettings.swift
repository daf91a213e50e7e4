import Audit
import Bytes
import Logging

/// What an ``AuditWriter`` is told once.
struct AuditWriterSettings: Sendable {
    /// Where the log is.
    let directory: AuditDirectory
    /// When a record counts as accepted.
    let durability: AuditDurability
    /// The program's own log.
    let logger: Logger
    /// The system calls that write.
    var disk = AuditDisk.real
    /// With batched durability: how long records are gathered before they are written.
    var batchingInterval = Interval.milliseconds(5)
    /// With batched durability: the longest time that what was written is not on disk.
    var syncInterval = Interval.seconds(1)
    /// How long after a failure the disk is tried again.
    var retryInterval = Interval.milliseconds(100)
    /// How long a failing disk is tried when the gateway stops.
    var patience = Interval.seconds(5)
    /// How many bytes of lines are written at once; one record may exceed it.
    var batchByteCount = 1 << 20

    init(directory: String, durability: AuditDurability, logger: Logger) {
        self.directory = AuditDirectory(path: directory)
        self.durability = durability
        self.logger = logger
    }
}
