import Audit
import Bytes
import Cryptography
import Glibc
import Reactor

/// The end of the log on disk, held open and locked by one gateway.
struct AuditLog: ~Copyable {
    /// Where the chain goes on: the last record that was there, and how many bytes of a torn line were cut off.
    let tail: AuditTail?
    private let directory: AuditDirectory
    private let disk: AuditDisk
    private let lock: FileDescriptor
    private var file: AuditLogFile
    private var byteCount: Int

    /// How far back from its end a file is read to find its last records: twice the longest line.
    private static let windowByteCount = 2 * AuditChain.maximumLineByteCount

    /// Opens the log in `directory`, makes both where there is none, checks what the log ends with, and cuts off a line
    /// that a crash left incomplete.
    init(openingIn directory: AuditDirectory, disk: AuditDisk, engine: CryptographicEngine) throws(AuditWriterError) {
        self.directory = directory
        self.disk = disk
        do throws(AuditFileError) {
            try directory.create()
            guard let lock = try directory.lock() else { throw AuditFileError("lock", directory.path, code: EWOULDBLOCK) }
            self.lock = lock
        } catch {
            throw error.code == EWOULDBLOCK ? .locked(directory: directory.path) : .file(error)
        }
        let numbers: [Int]
        do throws(AuditFileError) {
            numbers = try directory.fileNumbers()
            if let newest = numbers.last {
                file = try AuditLogFile(in: directory, number: newest, for: .appending, disk: disk)
            } else {
                file = try AuditLogFile(in: directory, number: 1, for: .creating, disk: disk)
                try directory.synchronize()
            }
            byteCount = try file.byteCount()
        } catch {
            throw .file(error)
        }
        tail = try Self.tail(of: file, among: numbers, in: directory, engine: engine)
        try cutTornLine()
    }

    /// Appends bytes, as many as the file system takes at once.
    ///
    /// - Returns: how many it took; at least one.
    mutating func write(_ bytes: Span<UInt8>) throws(AuditFileError) -> Int {
        let count = try file.write(bytes)
        byteCount += count
        return count
    }

    /// Puts what was written on disk.
    func synchronize() throws(AuditFileError) {
        try file.synchronize()
    }

    /// Takes back the last `count` bytes that were written.
    mutating func takeBack(_ count: Int) throws(AuditFileError) {
        try file.truncate(to: byteCount - count)
        byteCount -= count
    }

    /// Goes on in a new file, of the next number, where the present one was moved away or deleted.
    mutating func reopen() throws(AuditFileError) {
        guard try !file.isInPlace() else { return }
        try file.synchronize()
        let newest = try directory.fileNumbers().last ?? 0
        let next = max(newest, file.number) + 1
        file = try AuditLogFile(in: directory, number: next, for: .creating, disk: disk)
        byteCount = 0
        try directory.synchronize()
    }

    private mutating func cutTornLine() throws(AuditWriterError) {
        guard let tail, tail.tornByteCount > 0 else { return }
        do throws(AuditFileError) {
            try takeBack(tail.tornByteCount)
            try file.synchronize()
        } catch {
            throw .file(error)
        }
    }

    // MARK: Finding the last record

    /// The end of the newest file; of the one before where the newest holds no record; nothing where the log is empty.
    private static func tail(
        of file: borrowing AuditLogFile, among numbers: [Int], in directory: AuditDirectory, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditTail? {
        let (window, isWhole) = try read(file)
        let name = AuditDirectory.fileName(file.number)
        let start = try start(of: file.number, among: numbers, in: directory, engine: engine)
        do throws(AuditFault) {
            let tail = try AuditTail(
                window: window.readable, isWholeFile: isWhole, file: name, from: start, engine: engine)
            if let tail { return tail }
        } catch {
            throw .damaged(error)
        }
        guard isWhole else { throw .noRecord(file: name) }
        return try tail(empty: window.count, after: start, before: file.number)
    }

    /// The tail of a file without a record: that of the file before, and all the file's bytes torn.
    private static func tail(
        empty tornByteCount: Int, after start: AuditVerifier.Start, before number: Int
    ) throws(AuditWriterError) -> AuditTail? {
        switch start {
        case .beginning: AuditTail(sequence: 0, digest: .zero, tornByteCount: tornByteCount)
        case .after(let sequence, let digest):
            AuditTail(sequence: sequence, digest: digest, tornByteCount: tornByteCount)
        case .anywhere: throw .missing(file: AuditDirectory.fileName(number - 1))
        }
    }

    /// Where a file's first record stands: known for the first file, and where the file before is there.
    private static func start(
        of number: Int, among numbers: [Int], in directory: AuditDirectory, engine: CryptographicEngine
    ) throws(AuditWriterError) -> AuditVerifier.Start {
        guard number > 1 else { return .beginning }
        guard numbers.contains(number - 1) else { return .anywhere }
        let file: AuditLogFile
        do throws(AuditFileError) {
            file = try AuditLogFile(in: directory, number: number - 1, for: .reading)
        } catch {
            throw .file(error)
        }
        let (window, isWhole) = try read(file)
        let name = AuditDirectory.fileName(number - 1)
        do throws(AuditFault) {
            guard let tail = try AuditTail(window: window.readable, isWholeFile: isWhole, file: name, engine: engine) else {
                return .anywhere
            }
            guard tail.tornByteCount == 0 else {
                throw AuditFault(file: name, line: nil, sequence: tail.sequence + 1, kind: .incompleteLine)
            }
            return .after(sequence: tail.sequence, digest: tail.digest)
        } catch {
            throw .damaged(error)
        }
    }

    private static func read(
        _ file: borrowing AuditLogFile
    ) throws(AuditWriterError) -> (window: ByteQueue, isWhole: Bool) {
        do throws(AuditFileError) {
            let size = try file.byteCount()
            let start = max(0, size - windowByteCount)
            var window = ByteQueue()
            while window.count < size - start {
                let count = try file.read(size - start - window.count, at: start + window.count, into: &window)
                guard count > 0 else { throw AuditFileError("read", file.path, code: EIO) }
            }
            return (window, start == 0)
        } catch {
            throw .file(error)
        }
    }
}
