import Glibc

/// What the store asks of the file system beside the database itself.
enum StoreFiles {
    /// Why it failed: the error of the system.
    struct Failure: Error, Equatable, Sendable {
        let code: CInt
    }

    /// The length of a regular file; nothing where there is none.
    static func length(of path: String) throws(Failure) -> Int? {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            guard errno == ENOENT else { throw Failure(code: errno) }
            return nil
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(code: EISDIR) }
        return Int(status.st_size)
    }

    /// Makes an empty file, and its directory where that is missing, for this user alone.
    ///
    /// The files that SQLite puts beside it take its mode over.
    static func create(_ path: String) throws(Failure) {
        let directory = directory(of: path)
        if unsafe mkdir(directory, 0o700) == 0 { try syncDirectory(of: directory) }
        let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        _ = close(descriptor)
        try syncDirectory(of: path)
    }

    /// Takes from everybody else what they may do with a file.
    static func keepPrivate(_ path: String) throws(Failure) {
        guard unsafe chmod(path, 0o600) == 0 else { throw Failure(code: errno) }
    }

    /// Sees to it that a name in a directory is on the disk.
    static func syncDirectory(of path: String) throws(Failure) {
        let descriptor = unsafe Glibc.open(directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(code: errno) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Failure(code: errno) }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
