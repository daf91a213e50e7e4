import Glibc

/// A system call on a file or directory of the audit log that failed.
public struct AuditFileError: Error, Equatable, Sendable {
    /// What was to be done: `open`, `write` and so on.
    public let operation: String
    /// The file or directory.
    public let path: String
    /// The error number.
    public let code: CInt

    /// Makes an error from the calling thread's `errno`.
    init(_ operation: String, _ path: String) {
        self.init(operation, path, code: errno)
    }

    /// Makes an error.
    init(_ operation: String, _ path: String, code: CInt) {
        self.operation = operation
        self.path = path
        self.code = code
    }
}

extension AuditFileError: CustomStringConvertible {
    /// One phrase for a person: `cannot open audit: Permission denied`.
    public var description: String {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        return "cannot \(operation) \(path): \(reason)"
    }
}
