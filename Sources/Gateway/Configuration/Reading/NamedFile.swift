import Glibc

/// A regular file that was read whole.
struct NamedFile {
    /// The content.
    let bytes: [UInt8]
    /// Whether group or others may read it.
    let isReadableByOthers: Bool

    /// The largest file that is read: trust files are small, and a wrong name may lead to something huge.
    static let maximumByteCount = 16 << 20

    /// Why a file could not be read; the text completes "the file …".
    struct Failure: Error, Equatable {
        let reason: String
    }

    /// Reads the regular file at `path`, following links.
    init(path: String) throws(Failure) {
        guard !path.utf8.contains(0) else { throw Failure(reason: Self.sentence(EINVAL)) }
        // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(reason: Self.sentence(errno)) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Failure(reason: Self.sentence(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(reason: "is not a regular file; name one") }
        guard status.st_size <= Self.maximumByteCount else {
            throw Failure(reason: "is larger than 16 MiB; is it the right file?")
        }
        isReadableByOthers = status.st_mode & (S_IRGRP | S_IROTH) != 0
        bytes = try Self.readAll(descriptor)
    }

    private static func readAll(_ descriptor: CInt) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(reason: sentence(errno))
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
            guard bytes.count <= maximumByteCount else {
                throw Failure(reason: "is larger than 16 MiB; is it the right file?")
            }
        }
    }

    private static func sentence(_ code: CInt) -> String {
        switch code {
        case ENOENT: "does not exist; create it or correct the path"
        case EACCES, EPERM: "may not be read by this user; change its owner or its mode"
        case EISDIR: "is a directory; name a file in it"
        case ENOTDIR: "lies under something that is no directory; correct the path"
        case EINVAL: "has a name that cannot be opened; correct the path"
        default: "could not be read (error \(code)); check the disk and the path"
        }
    }
}
