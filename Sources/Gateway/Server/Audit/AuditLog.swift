import Audit
import Bytes
import Cryptography
import Glibc
import Reactor

/// The end of the log on disk, held open and locked by one gateway.
struct AuditLog: ~Copyable {
    /// Where the chain goes on: the last record that was there, and how many bytes of a torn line were cut off.
    let tail: AuditTail
    private let directory: AuditDirectory
    private let disk: AuditDisk
    private let lock: FileDescriptor
    private var file: AuditLogFile

    private init(
        tail: AuditTail, directory: AuditDirectory, disk: AuditDisk, lock: consuming FileDescriptor,
        file: consuming AuditLogFile
    ) {
        self.tail = tail
        self.directory = directory
        self.disk = disk
        self.lock = lock
        self.file = file
    }

    /// Opens the log in `directory`, makes both where there is none, checks what the log ends with, and cuts off a line
    /// that a crash left incomplete.
    static func open(
        in directory: AuditDirectory, disk: AuditDisk, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditLog {
        let lock = try lock(directory)
        let file = try newestFile(in: directory, disk: disk)
        let tail = try tail(of: file, in: directory, engine: engine)
        var log = AuditLog(tail: tail, directory: directory, disk: disk, lock: lock, file: file)
        do throws(AuditFileError) {
            try log.cutTornLine()
        } catch {
            throw .file(error)
        }
        return log
    }

    /// Appends what waits in `lines` behind its first `offset` bytes, as much as the file system takes at once.
    ///
    /// - Returns: how many bytes it took; at least one.
    mutating func write(_ lines: borrowing ByteQueue, from offset: Int) throws(AuditFileError) -> Int {
        try file.write(lines.readable.extracting(offset..<lines.count))
    }

    /// Puts what was written on disk.
    func synchronize() throws(AuditFileError) {
        try file.synchronize()
    }

    /// Takes back the last `count` bytes that were written.
    mutating func takeBack(_ count: Int) throws(AuditFileError) {
        try file.truncate(to: file.byteCount - count)
    }

    /// Goes on in a new file, of the next number, where the present one was moved away or deleted.
    mutating func reopen() throws(AuditFileError) {
        guard try !file.isInPlace() else { return }
        try file.synchronize()
        let newest = try directory.fileNumbers().last ?? 0
        file = try AuditLogFile(in: directory, number: max(newest, file.number) + 1, for: .creating, disk: disk)
        try directory.synchronize()
    }

    private mutating func cutTornLine() throws(AuditFileError) {
        guard tail.tornByteCount > 0 else { return }
        try takeBack(tail.tornByteCount)
        try file.synchronize()
    }

    private static func lock(_ directory: AuditDirectory) throws(AuditWriterError) -> FileDescriptor {
        do throws(AuditFileError) {
            try directory.create()
            if let lock = try directory.lock() { return lock }
        } catch {
            throw .file(error)
        }
        throw .locked(directory: directory.path)
    }

    private static func newestFile(
        in directory: AuditDirectory, disk: AuditDisk
    ) throws(AuditWriterError) -> AuditLogFile {
        do throws(AuditFileError) {
            if let newest = try directory.fileNumbers().last {
                return try AuditLogFile(in: directory, number: newest, for: .appending, disk: disk)
            }
            let first = try AuditLogFile(in: directory, number: 1, for: .creating, disk: disk)
            try directory.synchronize()
            return first
        } catch {
            throw .file(error)
        }
    }

    /// The end of the newest file, or of the one before where the newest holds no record.
    private static func tail(
        of file: borrowing AuditLogFile, in directory: AuditDirectory, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditTail {
        let start = try start(of: file.number, in: directory, engine: engine)
        if let tail = try file.tail(from: start, engine: engine) { return tail }
        switch start {
        case .beginning:
            return AuditTail(sequence: 0, digest: .zero, tornByteCount: file.byteCount)
        case .after(let sequence, let digest):
            return AuditTail(sequence: sequence, digest: digest, tornByteCount: file.byteCount)
        case .anywhere:
            throw .missing(file: AuditDirectory.fileName(file.number - 1))
        }
    }

    /// The file of that number, to be read; nothing where it is not there.
    private static func file(
        _ number: Int, in directory: AuditDirectory
    ) throws(AuditWriterError) -> AuditLogFile? {
        do throws(AuditFileError) {
            return try AuditLogFile(in: directory, number: number, for: .reading)
        } catch {
            guard error.code == ENOENT else { throw .file(error) }
            return nil
        }
    }

    /// Where a file's first record stands: known for the first file, and where a file before is there that has one.
    private static func start(
        of number: Int, in directory: AuditDirectory, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditVerifier.Start {
        guard number > 1 else { return .beginning }
        guard let file = try file(number - 1, in: directory) else { return .anywhere }
        let tail = try file.tail(from: .anywhere, engine: engine)
        guard tail?.tornByteCount ?? file.byteCount == 0 else {
            let name = AuditDirectory.fileName(number - 1)
            let sequence = tail.map { $0.sequence + 1 }
            throw .damaged(AuditFault(file: name, line: nil, sequence: sequence, kind: .incompleteLine))
        }
        guard let tail else { return try start(of: number - 1, in: directory, engine: engine) }
        return .after(sequence: tail.sequence, digest: tail.digest)
    }
}

extension AuditLogFile {
    /// How far back from its end a file is read to find its last records: twice the longest line.
    private static var windowByteCount: Int { 2 * AuditChain.maximumLineByteCount }

    /// Checks the last records of the file.
    ///
    /// - Returns: nothing where the file holds no record.
    fileprivate func tail(
        from start: AuditVerifier.Start, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditTail? {
        var window = ByteQueue()
        let offset: Int
        do throws(AuditFileError) {
            offset = max(0, byteCount - Self.windowByteCount)
            while window.count < byteCount - offset {
                let count = try read(byteCount - offset - window.count, at: offset + window.count, into: &window)
                guard count > 0 else { throw AuditFileError("read", path, code: EIO) }
            }
        } catch {
            throw .file(error)
        }
        let name = AuditDirectory.fileName(number)
        do throws(AuditFault) {
            let tail = try AuditTail(
                window: window.readable, isWholeFile: offset == 0, file: name, from: start, engine: engine)
            if let tail { return tail }
        } catch {
            throw .damaged(error)
        }
        guard offset == 0 else { throw .noRecord(file: name) }
        return nil
    }
}
