import Audit
import Bytes
import Cryptography
import Glibc
import Reactor

/// The directory of an audit log: `audit-000001.jsonl`, `audit-000002.jsonl` and so on, in that order one log.
public struct AuditDirectory: Equatable, Sendable {
    /// The directory's path.
    public let path: String

    /// Names a directory; nothing is opened.
    public init(path: String) {
        self.path = path
    }

    /// The name of the file of that number, from 1.
    public static func fileName(_ number: Int) -> String {
        let digits = String(number)
        return "audit-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".jsonl"
    }

    /// The path of the file of that number.
    public func path(ofFile number: Int) -> String {
        path + "/" + Self.fileName(number)
    }

    /// The numbers of the log's files that are there, in order; other files are passed over.
    public func fileNumbers() throws(AuditFileError) -> [Int] {
        guard let stream = unsafe opendir(path) else { throw AuditFileError("read", path) }
        defer { unsafe closedir(stream) }
        var numbers: [Int] = []
        errno = 0
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if let number = Self.number(ofFile: name) { numbers.append(number) }
        }
        guard errno == 0 else { throw AuditFileError("read", path) }
        return numbers.sorted()
    }

    /// When the log was last written to, or nothing where there is none.
    func lastWrite() throws(AuditFileError) -> UnixTime? {
        guard let number = try fileNumbers().last else { return nil }
        var status = stat()
        guard unsafe stat(path(ofFile: number), &status) == 0 else {
            throw AuditFileError("read", path(ofFile: number))
        }
        return UnixTime(nanoseconds: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
    }

    /// Checks the whole log from its first record on, reading each file in pieces.
    public func verify() -> AuditVerification {
        guard let engine = try? CryptographicEngine() else {
            return .unreadable("no SHA-256 could be had from the cryptographic library")
        }
        do throws(AuditFileError) {
            let numbers = try fileNumbers()
            guard !numbers.isEmpty else { return .unreadable("there is no audit log in \(path)") }
            if let missing = (1...numbers.count).first(where: { numbers[$0 - 1] != $0 }) {
                return .missing(file: Self.fileName(missing))
            }
            return try verify(numbers, engine: engine)
        } catch {
            return .unreadable(error.description)
        }
    }

    private func verify(_ numbers: [Int], engine: CryptographicEngine) throws(AuditFileError) -> AuditVerification {
        var verifier = AuditVerifier(engine: engine)
        for number in numbers {
            let file = try AuditLogFile(in: self, number: number, for: .reading)
            if let fault = try verify(file, by: &verifier) { return .tampered(fault) }
        }
        return .intact(files: numbers.count, records: verifier.recordCount, head: verifier.head?.digest ?? .zero)
    }

    private func verify(
        _ file: borrowing AuditLogFile, by verifier: inout AuditVerifier
    ) throws(AuditFileError) -> AuditFault? {
        verifier.beginFile(Self.fileName(file.number))
        var piece = ByteQueue()
        var offset = 0
        while true {
            let count = try file.read(1 << 18, at: offset, into: &piece)
            do throws(AuditFault) {
                if count == 0 {
                    try verifier.endFile()
                    return nil
                }
                try verifier.input(contents: piece.readable)
            } catch {
                return error
            }
            offset += count
            piece.removeAll()
        }
    }

    private static func number(ofFile name: String) -> Int? {
        guard name.hasPrefix("audit-"), name.hasSuffix(".jsonl") else { return nil }
        guard let number = Int(name.dropFirst(6).dropLast(6)), number > 0, name == fileName(number) else { return nil }
        return number
    }
}

extension AuditDirectory {
    /// Makes the directory where it is not there, for its owner only (0700); its parent must be there.
    func create() throws(AuditFileError) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw AuditFileError("make", path)
    }

    /// Takes the lock of the directory, `audit.lock`, which ends with the descriptor.
    ///
    /// - Returns: nothing where another process, or this one, holds it.
    func lock() throws(AuditFileError) -> FileDescriptor? {
        let path = path + "/audit.lock"
        let number = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard number >= 0 else { throw AuditFileError("open", path) }
        let descriptor = FileDescriptor(owning: number)
        guard flock(number, LOCK_EX | LOCK_NB) != 0 else { return descriptor }
        guard errno == EWOULDBLOCK else { throw AuditFileError("lock", path) }
        return nil
    }

    /// Puts the directory's entries on disk.
    func synchronize() throws(AuditFileError) {
        let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw AuditFileError("open", path) }
        let descriptor = FileDescriptor(owning: number)
        guard fsync(descriptor.number) == 0 else { throw AuditFileError("sync", path) }
    }
}
