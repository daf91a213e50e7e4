import Glibc

/// A file that the secrets of TLS sessions are appended to, a line each, for decrypting captures while debugging.
///
/// Workers share it: each line is one write to the end of the file.
public final class KeyLogFile: Sendable {
    /// Why the file cannot be used; completes "the file …".
    public struct Failure: Error, Equatable, Sendable {
        /// A reason with a remedy.
        public let reason: String
    }

    private let descriptor: CInt

    /// Opens or makes the file, and makes it readable by this user alone.
    public init(path: String) throws(Failure) {
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
        let descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw Failure(reason: "cannot be opened (error \(errno)); correct the path") }
        self.descriptor = descriptor
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(reason: "is not a regular file; name one")
        }
        guard fchmod(descriptor, 0o600) == 0 else {
            throw Failure(reason: "belongs to another user; name another file")
        }
    }

    deinit {
        _ = close(descriptor)
    }

    /// Appends a line; what the disk does not take is lost.
    public func append(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe bytes.withUnsafeBytes { unsafe write(descriptor, $0.baseAddress, $0.count) }
    }
}
