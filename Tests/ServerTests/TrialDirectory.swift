import Audit
import Bytes
import Cryptography
import Foundation
import Logging

@testable import Server

/// A directory of a test's own, which goes with it, and a log in it.
final class TrialDirectory: Sendable {
    /// Where the log is to be; not made yet.
    let path: String
    private let parent: String

    init() throws {
        parent = FileManager.default.temporaryDirectory.path + "/sallyport-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
        path = parent + "/audit"
    }

    deinit {
        _ = unsafe chmod(path, 0o700)
        try? FileManager.default.removeItem(atPath: parent)
    }

    /// The files of the log.
    var directory: AuditDirectory { AuditDirectory(path: path) }

    /// Where the file of that number is.
    func file(_ number: Int = 1) -> String { directory.path(ofFile: number) }

    /// The bytes of a file; none where it is not there.
    func contents(_ number: Int = 1) -> [UInt8] {
        FileManager.default.contents(atPath: file(number)).map { Array($0) } ?? []
    }

    /// The lines of a file.
    func lines(_ number: Int = 1) -> [String] {
        String(decoding: contents(number), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// Writes a file, whole.
    func write(_ bytes: [UInt8], _ number: Int = 1) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: file(number)))
    }

    /// What a writer of this directory is told; it says nothing in the program's log.
    func settings(_ durability: AuditDurability = .batched) -> AuditWriterSettings {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return AuditWriterSettings(directory: path, durability: durability, logger: logger)
    }

    /// Opens the log, writes records of those numbers, and closes it.
    func run(_ numbers: Range<Int>, _ settings: AuditWriterSettings? = nil) throws {
        let queue = AuditQueue(capacity: 1 << 16)
        let writer = try AuditWriter(settings ?? self.settings())
        writer.register(queue) {}
        try writer.start()
        for number in numbers { submit(number, to: queue, of: writer) }
        writer.stop()
    }

    /// Submits a record, as soon as there is room.
    @discardableResult
    func submit(_ number: Int, to queue: AuditQueue, of writer: AuditWriter) -> AuditTicket {
        var record = AuditRecord()
        record.member(event: .requestAllowed)
        record.member("path", "/orders/\(number)")
        record.member("time", time: UnixTime(seconds: 1_800_000_000))
        record.finish()
        while true {
            if let ticket = queue.submit(record) {
                writer.notify()
                return ticket
            }
            writer.hurry()
            sched_yield()
        }
    }

    /// Whether the log is whole, and of how many records.
    func records() throws -> UInt64? {
        guard case .intact(_, let records, _) = directory.verify() else { return nil }
        return records
    }
}

/// A disk that fails as it is told to.
final class FaultyDisk: Sendable {
    private let state = NSLock()
    nonisolated(unsafe) private var room = Int.max
    nonisolated(unsafe) private var largestWrite = Int.max
    nonisolated(unsafe) private var failingSyncs = 0
    nonisolated(unsafe) private var failures = 0
    nonisolated(unsafe) private var syncs = 0

    /// Lets only so many more bytes be written.
    func setRoom(_ bytes: Int) { state.withLock { unsafe room = bytes } }
    /// Lets one write take only so many bytes.
    func setLargestWrite(_ bytes: Int) { state.withLock { unsafe largestWrite = bytes } }
    /// Lets the next syncs fail.
    func failSyncs(_ count: Int) { state.withLock { unsafe failingSyncs = count } }
    /// How often it has failed.
    var failureCount: Int { state.withLock { unsafe failures } }
    /// How often it was asked to sync.
    var syncCount: Int { state.withLock { unsafe syncs } }

    /// The system calls of this disk.
    var disk: AuditDisk {
        AuditDisk(
            write: { [self] descriptor, bytes in
                let allowed = state.withLock { unsafe min(room, largestWrite, bytes.count) }
                guard allowed > 0 else {
                    state.withLock { unsafe failures += 1 }
                    return -Int(ENOSPC)
                }
                let written = AuditDisk.real.write(descriptor, bytes.extracting(0..<allowed))
                state.withLock { unsafe room -= unsafe room == .max ? 0 : max(0, written) }
                return written
            },
            synchronize: { [self] descriptor in
                let fails = state.withLock {
                    unsafe syncs += 1
                    guard unsafe failingSyncs > 0 else { return false }
                    unsafe failingSyncs -= 1
                    unsafe failures += 1
                    return true
                }
                return fails ? -Int(EIO) : AuditDisk.real.synchronize(descriptor)
            })
    }
}

/// Waits until `condition` holds; a test that waits in vain fails by what it expects next.
func wait(until condition: () -> Bool) {
    let deadline = Date().addingTimeInterval(20)
    while !condition(), Date() < deadline { sched_yield() }
}
