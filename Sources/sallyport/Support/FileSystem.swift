import Glibc

/// The few things that commands do with files; every error says what to do.
enum FileSystem {
    /// Whether something is at `path`.
    static func exists(_ path: String) -> Bool {
        unsafe access(path, F_OK) == 0
    }

    /// Makes a directory for this user alone, and those above it, unless they are there already.
    static func makeDirectory(_ path: String) throws {
        if unsafe mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw failure("make the directory", path)
        }
        try makeDirectory(String(path[..<slash]))
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("make the directory", path) }
    }

    /// Writes a file anew.
    ///
    /// - Parameter isSecret: whether only this user may read it.
    static func write(_ text: String, to path: String, isSecret: Bool) throws {
        let mode: mode_t = isSecret ? 0o600 : 0o644
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
        guard descriptor >= 0 else { throw failure("write", path) }
        defer { _ = close(descriptor) }
        // An older file keeps its mode when it is opened.
        guard fchmod(descriptor, mode) == 0 else { throw failure("write", path) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Removes a file, if it is there.
    static func remove(_ path: String) throws {
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw failure("remove", path) }
    }

    /// The content of a file of at most 16 MiB.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", path) }
        defer { _ = close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= 16 << 20 {
            let count = unsafe block.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
        }
        throw CommandFailure.couldNotRun("\(path) is larger than 16 MiB; is it the right file?")
    }

    private static func failure(_ action: String, _ path: String) -> CommandFailure {
        let reason = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        return .couldNotRun("cannot \(action) \(path) (\(reason)); check the path and who may use it")
    }
}
