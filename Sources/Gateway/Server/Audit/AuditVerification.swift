public import Audit
public import Bytes

/// What a check of a whole log has found.
public enum AuditVerification: Equatable, Sendable {
    /// Every record is as it was written; what was cut off at the end does not show without a checkpoint.
    case intact(files: Int, records: UInt64, head: Digest256)
    /// A file between others, or the first, is not there.
    case missing(file: String)
    /// A record is not as it was written: the first such.
    case tampered(AuditFault)
    /// The log could not be read.
    case unreadable(String)

    /// The exit code of `sallyport audit verify`: 0 intact, 1 tampered, 2 unreadable.
    public var exitCode: Int32 {
        switch self {
        case .intact: 0
        case .missing, .tampered: 1
        case .unreadable: 2
        }
    }
}

extension AuditVerification: CustomStringConvertible {
    /// One sentence for a person.
    public var description: String {
        switch self {
        case .intact(let files, let records, let head):
            "intact: \(records) records in \(files) \(files == 1 ? "file" : "files"), the last with digest \(head.hexadecimal)"
        case .missing(let file): "tampered: \(file) is missing"
        case .tampered(let fault): "tampered: \(fault)"
        case .unreadable(let reason): "unreadable: \(reason)"
        }
    }
}
