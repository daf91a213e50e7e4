import Glibc

/// A regular file that was read whole.
public struct NamedFile: Sendable {
    /// The content.
    public let bytes: [UInt8]
    /// What it was when it was read.
    public let mark: FileMark
    /// Whether group or others may read it.
    let isReadableByOthers: Bool

    /// The largest file that is read: trust files are small, and a wrong name may lead to something huge.
    public static let maximumByteCount = 16 << 20

    /// Why a file could not be read; the text completes "the file …".
    public struct Failure: Error, Equatable {
        /// Such as `does not exist; create it or correct the path`.
        public let reason: String
    }

    /// Reads the regular file at `path`, following links.
    public init(path: String, atMost limit: Int = Self.maximumByteCount) throws(Failure) {
        guard !path.utf8.contains(0) else { throw Failure(reason: Self.sentence(EINVAL)) }
        // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(reason: Self.sentence(errno)) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw Failure(reason: Self.sentence(errno)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(reason: "is not a regular file; name one") }
        guard status.st_size <= limit else { throw Self.tooLarge(limit) }
        isReadableByOthers = status.st_mode & (S_IRGRP | S_IROTH) != 0
        mark = FileMark(status)
        bytes = try Self.readAll(descriptor, expecting: Int(status.st_size), atMost: limit)
    }

    private static func tooLarge(_ limit: Int) -> Failure {
        Failure(reason: "is larger than \(limit >> 20) MiB; is it the right file?")
    }

    private static func readAll(
        _ descriptor: CInt, expecting count: Int, atMost limit: Int
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var block = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = unsafe block.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(reason: sentence(errno))
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: block[..<count])
            guard bytes.count <= limit else { throw tooLarge(limit) }
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
