import Bytes
import Glibc
import Reactor

/// An open file of the log; closed with its owner.
struct AuditLogFile: ~Copyable {
    /// Its path.
    let path: String
    /// Its number in the directory.
    let number: Int
    /// The number of bytes in it: nobody else writes it.
    private(set) var byteCount: Int
    private let descriptor: FileDescriptor
    private let disk: AuditDisk

    /// What a file is opened for.
    enum Purpose {
        /// To read only.
        case reading
        /// To go on with one that exists.
        case appending
        /// To begin one that must not exist.
        case creating

        fileprivate var flags: CInt {
            switch self {
            case .reading: O_RDONLY
            case .appending: O_RDWR | O_APPEND
            case .creating: O_RDWR | O_APPEND | O_CREAT | O_EXCL
            }
        }
    }

    /// Opens the file of that number; a new one is readable by its owner and group (0640).
    init(
        in directory: AuditDirectory, number: Int, for purpose: Purpose, disk: AuditDisk = .real
    ) throws(AuditFileError) {
        let path = directory.path(ofFile: number)
        let opened = unsafe open(path, purpose.flags | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard opened >= 0 else { throw AuditFileError("open", path) }
        let descriptor = FileDescriptor(owning: opened)
        byteCount = Int(try Self.status(of: descriptor, at: path).st_size)
        self.path = path
        self.number = number
        self.disk = disk
        self.descriptor = descriptor
    }

    /// Whether the path still leads to this file: not so once it was moved away or deleted.
    func isInPlace() throws(AuditFileError) -> Bool {
        let own = try Self.status(of: descriptor, at: path)
        var named = stat()
        guard unsafe stat(path, &named) == 0 else {
            guard errno == ENOENT else { throw AuditFileError("look at", path) }
            return false
        }
        return named.st_ino == own.st_ino && named.st_dev == own.st_dev
    }

    /// Appends to `queue` up to `count` bytes from `offset` on.
    ///
    /// - Returns: how many there were; 0 at the end of the file.
    func read(_ count: Int, at offset: Int, into queue: inout ByteQueue) throws(AuditFileError) -> Int {
        let path = path
        let descriptor = descriptor.number
        return unsafe try queue.append(upTo: count) { room throws(AuditFileError) in
            while true {
                let taken = unsafe pread(descriptor, room.baseAddress, room.count, off_t(offset))
                if taken >= 0 { return taken }
                guard errno == EINTR else { throw AuditFileError("read", path) }
            }
        }
    }

    /// Appends bytes, as many as the file system takes at once; at least one.
    mutating func write(_ bytes: Span<UInt8>) throws(AuditFileError) -> Int {
        while true {
            let written = disk.write(descriptor.number, bytes)
            if written > 0 {
                byteCount += written
                return written
            }
            let code = written == 0 ? EIO : CInt(-written)
            guard code == EINTR else { throw AuditFileError("write", path, code: code) }
        }
    }

    /// Puts what was written on disk.
    func synchronize() throws(AuditFileError) {
        while true {
            let answer = disk.synchronize(descriptor.number)
            if answer >= 0 { return }
            guard answer == -Int(EINTR) else { throw AuditFileError("sync", path, code: CInt(-answer)) }
        }
    }

    /// Cuts the file to `count` bytes.
    mutating func truncate(to count: Int) throws(AuditFileError) {
        guard ftruncate(descriptor.number, off_t(count)) == 0 else { throw AuditFileError("truncate", path) }
        byteCount = count
    }

    private static func status(
        of descriptor: borrowing FileDescriptor, at path: String
    ) throws(AuditFileError) -> stat {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw AuditFileError("look at", path) }
        return status
    }
}
