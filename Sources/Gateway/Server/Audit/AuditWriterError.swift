public import Audit

/// Why the audit log cannot be opened: the gateway does not start then.
public enum AuditWriterError: Error, Equatable, Sendable {
    /// What the log ends with is not what a gateway wrote.
    case damaged(AuditFault)
    /// A system call on a file or directory failed.
    case file(AuditFileError)
    /// Another process holds the lock of that directory.
    case locked(directory: String)
    /// The newest file holds no record and the one before it is not there, so the chain cannot be continued.
    case missing(file: String)
    /// The newest file's last record cannot be found: no line ends within the bytes that were read.
    case noRecord(file: String)
    /// A thread, a descriptor or a digest could not be had from the system.
    case resources(String)
}

extension AuditWriterError: CustomStringConvertible {
    /// One sentence for the operator that says what to do.
    public var description: String {
        switch self {
        case .damaged(let fault):
            "the audit log is damaged (\(fault)): look at it with `sallyport audit verify`, and move the directory aside to begin a new log"
        case .file(let error):
            "\(error): make it a directory that only the gateway's user can write"
        case .locked(let directory):
            "another process is writing the audit log in \(directory): stop it, or give this gateway a directory of its own"
        case .missing(let file):
            "the audit log cannot be continued without \(file): put it back, or move the directory aside to begin a new log"
        case .noRecord(let file):
            "\(file) does not end with a record: move the directory aside to begin a new log"
        case .resources(let reason):
            "the audit log cannot be opened: \(reason)"
        }
    }
}
