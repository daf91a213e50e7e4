import Audit
import Bytes
import Foundation
import Synchronization
import Testing

@testable import Server

@Suite("The writer of the audit log")
struct AuditWriterTests {
    @Test(
        "What is submitted is in the log once the writer has stopped",
        arguments: [
            AuditDurability.batched, .synced,
        ])
    func writes(durability: AuditDurability) throws {
        let trial = try TrialDirectory()
        try trial.run(0..<1000, trial.settings(durability))
        #expect(try trial.records() == 1000)
        #expect(trial.lines()[999].contains(#""path":"/orders/999""#))
    }

    @Test("The directory is for its owner only, a file for its group to read, and a lock lies beside it")
    func permissions() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<1)
        var status = stat()
        #expect(unsafe stat(trial.path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        #expect(unsafe stat(trial.file(), &status) == 0)
        #expect(status.st_mode & 0o777 & ~0o640 == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: trial.path).sorted() == [
                "audit-000001.jsonl", "audit.lock",
            ])
    }

    @Test("Several workers at once lose nothing, each in its order")
    func workers() throws {
        let trial = try TrialDirectory()
        var settings = trial.settings()
        settings.batchByteCount = 10_000
        let writer = try AuditWriter(settings)
        let queues = (0..<3).map { _ in AuditQueue(capacity: 1 << 14) }
        for queue in queues { writer.register(queue) {} }
        try writer.start()
        let done = DispatchGroup()
        for (index, queue) in queues.enumerated() {
            DispatchQueue.global().async(group: done) {
                for number in 0..<5000 { trial.submit(index * 10_000 + number, to: queue, of: writer) }
            }
        }
        done.wait()
        #expect(writer.stop())
        #expect(try trial.records() == 15_000)
        let text = String(decoding: trial.contents(), as: UTF8.self)
        let paths = text.split(separator: "/orders/").dropFirst().compactMap { Int($0.prefix { $0.isNumber }) }
        for index in 0..<3 {
            let own = paths.filter { $0 / 10_000 == index }
            #expect(own == Array(index * 10_000..<index * 10_000 + 5000))
        }
    }

    @Test("A batched record is good at once, and on disk soon though nobody stops the writer")
    func batched() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        var settings = trial.settings()
        settings.disk = faulty.disk
        settings.syncInterval = .milliseconds(20)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 1 << 16)
        writer.register(queue) {}
        try writer.start()
        let ticket = trial.submit(1, to: queue, of: writer)
        let isGood = queue.isSafe(ticket, durability: .batched)
        #expect(isGood)
        wait { faulty.syncCount > 0 }
        #expect(trial.lines().count == 1)
        #expect(faulty.syncCount > 0)
        writer.stop()
    }

    @Test("A synced record is good once it is on disk, and its worker is woken then")
    func synced() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        var settings = trial.settings(.synced)
        settings.disk = faulty.disk
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 1 << 16)
        let wakes = Counter()
        writer.register(queue) { wakes.add() }
        try writer.start()
        for number in 1...5 {
            let (before, syncs) = (wakes.value, faulty.syncCount)
            let ticket = trial.submit(number, to: queue, of: writer)
            wait { wakes.value > before }
            let isGood = queue.isSafe(ticket, durability: .synced)
            #expect(isGood)
            #expect(faulty.syncCount > syncs)
            #expect(trial.lines().count == number)
        }
        writer.stop()
    }

    @Test("A worker that found no room is woken once there is some")
    func starved() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.setRoom(0)
        var settings = trial.settings()
        settings.disk = faulty.disk
        settings.retryInterval = .milliseconds(1)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 4096)
        let wakes = Counter()
        writer.register(queue) { wakes.add() }
        try writer.start()
        let submitted = fill(queue, of: writer) { faulty.failureCount > 0 }
        #expect(wakes.value == 0)
        // The failure is counted a moment before it is told.
        wait { !writer.isHealthy }
        #expect(!writer.isHealthy)
        faulty.setRoom(.max)
        wait { wakes.value > 0 }
        #expect(wakes.value > 0)
        #expect(writer.stop())
        // One record more tells that the log had failed.
        #expect(try trial.records() == UInt64(submitted + 1))
    }

    @Test("A full disk refuses, but loses nothing: not even where a line was cut in two")
    func fullDisk() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.setRoom(300)
        var settings = trial.settings()
        settings.disk = faulty.disk
        settings.retryInterval = .milliseconds(1)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 4096)
        writer.register(queue) {}
        try writer.start()
        let submitted = fill(queue, of: writer) { !writer.isHealthy }
        #expect(!writer.isHealthy)
        #expect(trial.contents().count == 300)
        faulty.setRoom(.max)
        wait { writer.isHealthy }
        #expect(writer.isHealthy)
        #expect(writer.stop())
        #expect(try trial.records() == UInt64(submitted + 1))
        let alert = #""event":"alert.raised""#
        let alerts = trial.lines().filter { $0.contains(alert) }
        #expect(alerts.count == 1)
        #expect(alerts.first?.contains("audit.failed: cannot write") == true)
    }

    @Test("Writes that take a few bytes each make the same log")
    func shortWrites() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.setLargestWrite(7)
        var settings = trial.settings(.synced)
        settings.disk = faulty.disk
        try trial.run(0..<50, settings)
        #expect(try trial.records() == 50)
    }

    @Test("A sync that fails acknowledges nothing, and the records are written anew, once")
    func failedSync() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.failSyncs(3)
        var settings = trial.settings(.synced)
        settings.disk = faulty.disk
        settings.retryInterval = .milliseconds(1)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 1 << 16)
        let good = Counter()
        writer.register(queue) { good.add() }
        try writer.start()
        let ticket = trial.submit(1, to: queue, of: writer)
        wait { good.value > 0 }
        #expect(faulty.failureCount == 3)
        let isGood = queue.isSafe(ticket, durability: .synced)
        #expect(isGood)
        #expect(writer.stop())
        #expect(try trial.records() == 2)
        #expect(trial.lines()[0].contains("/orders/1"))
    }

    @Test("A batched sync that fails is seen, tried again and told")
    func failedBatchedSync() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.failSyncs(1)
        var settings = trial.settings()
        settings.disk = faulty.disk
        settings.syncInterval = .milliseconds(1)
        settings.retryInterval = .milliseconds(1)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 1 << 16)
        writer.register(queue) {}
        try writer.start()
        trial.submit(1, to: queue, of: writer)
        wait { trial.lines().count == 2 }
        #expect(trial.lines().last?.contains("audit.failed: cannot sync") == true)
        #expect(writer.stop())
        #expect(try trial.records() == 2)
    }

    @Test("Where the disk fails to the end the writer still stops, and says that it lost records")
    func hopeless() throws {
        let trial = try TrialDirectory()
        let faulty = FaultyDisk()
        faulty.setRoom(0)
        var settings = trial.settings()
        settings.disk = faulty.disk
        settings.retryInterval = .milliseconds(1)
        settings.patience = .milliseconds(10)
        let writer = try AuditWriter(settings)
        let queue = AuditQueue(capacity: 1 << 16)
        writer.register(queue) {}
        try writer.start()
        trial.submit(1, to: queue, of: writer)
        let isWhole = writer.stop()
        #expect(!isWhole)
    }

    @Test("A file that was moved away is followed by the next number, one that was not is gone on with")
    func reopening() throws {
        let trial = try TrialDirectory()
        let writer = try AuditWriter(trial.settings())
        let queue = AuditQueue(capacity: 1 << 16)
        writer.register(queue) {}
        try writer.start()
        trial.submit(1, to: queue, of: writer)
        wait { trial.lines().count == 1 }
        writer.reopen()
        trial.submit(2, to: queue, of: writer)
        wait { trial.lines().count == 2 }
        #expect(trial.lines().count == 2)
        let archived = trial.path + "/archived"
        try FileManager.default.moveItem(atPath: trial.file(), toPath: archived)
        writer.reopen()
        wait { FileManager.default.fileExists(atPath: trial.file(2)) }
        trial.submit(3, to: queue, of: writer)
        writer.stop()
        #expect(trial.lines(2).count == 1)
        #expect(trial.directory.verify() == .missing(file: "audit-000001.jsonl"))
        try FileManager.default.moveItem(atPath: archived, toPath: trial.file())
        #expect(try trial.records() == 3)
    }

    @Test("A writer that was never started, or was stopped, stops without ado")
    func stopping() throws {
        let trial = try TrialDirectory()
        let writer = try AuditWriter(trial.settings())
        #expect(writer.stop())
        try writer.start()
        #expect(writer.stop())
        #expect(writer.stop())
        #expect(try trial.records() == 0)
    }

    /// Submits records until there is no room and `isFailing`, and answers how many were taken.
    private func fill(_ queue: AuditQueue, of writer: AuditWriter, until isFailing: () -> Bool) -> Int {
        var record = AuditRecord()
        record.member(event: .requestDenied)
        record.member("path", "/" + String(repeating: "x", count: 100))
        record.member("time", time: UnixTime(seconds: 1_800_000_000))
        record.finish()
        var taken = 0
        let deadline = Date().addingTimeInterval(20)
        while Date() < deadline {
            if queue.submit(record) != nil {
                taken += 1
                writer.notify()
            } else if isFailing(), queue.byteCount > 3500 {
                return taken
            } else {
                sched_yield()
            }
        }
        return taken
    }
}

/// A number that threads count up.
private final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    func add() {
        count.add(1, ordering: .releasing)
    }
}
