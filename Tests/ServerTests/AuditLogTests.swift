import Audit
import Bytes
import Cryptography
import Foundation
import Testing

@testable import Server

@Suite("Opening the audit log")
struct AuditLogTests {
    private func error(_ trial: TrialDirectory) throws -> AuditWriterError? {
        let writer = try AuditWriter(trial.settings())
        do throws(AuditWriterError) {
            try writer.start()
        } catch {
            return error
        }
        writer.stop()
        return nil
    }

    @Test("A gateway that starts again goes on with the chain, in the same file")
    func restart() throws {
        let trial = try TrialDirectory()
        for run in 0..<4 { try trial.run(run * 10..<run * 10 + 10) }
        #expect(try trial.records() == 40)
        #expect(try trial.directory.fileNumbers() == [1])
    }

    @Test("A line that a crash cut short is cut off, which the log tells", arguments: [1, 20, 200])
    func torn(bytes: Int) throws {
        let trial = try TrialDirectory()
        try trial.run(0..<3)
        let whole = trial.contents()
        try trial.write(whole + Array(repeating: UInt8(ascii: "{"), count: bytes))
        try trial.run(3..<4)
        #expect(try trial.records() == 5)
        #expect(Array(trial.contents().prefix(whole.count)) == whole)
        #expect(trial.lines()[3].contains(#""event":"alert.raised""#))
        #expect(trial.lines()[3].contains("audit.torn-line: \(bytes) bytes cut off"))
        #expect(trial.lines()[4].contains("/orders/3"))
    }

    @Test("A log that is nothing but a torn line begins anew")
    func tornFirst() throws {
        let trial = try TrialDirectory()
        try trial.write(Array("{\"agent".utf8))
        try trial.run(0..<1)
        #expect(try trial.records() == 2)
    }

    @Test(
        "A log whose end is not what a gateway wrote is not gone on with, and not touched",
        arguments: [
            "garbage\n", "{}\n", "\n",
        ])
    func damaged(line: String) throws {
        let trial = try TrialDirectory()
        try trial.run(0..<3)
        let bytes = trial.contents() + Array(line.utf8)
        try trial.write(bytes)
        guard case .damaged(let fault) = try error(trial) else {
            Issue.record("it was opened")
            return
        }
        #expect(fault.line == 4)
        #expect(trial.contents() == bytes)
    }

    @Test("A byte that was changed near the end is found")
    func changed() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<3)
        var bytes = trial.contents()
        bytes[20] ^= 1
        try trial.write(bytes)
        guard case .damaged = try error(trial) else {
            Issue.record("it was opened")
            return
        }
    }

    @Test("The newest of several files is gone on with, and its beginning is checked against the one before")
    func severalFiles() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<6)
        let lines = trial.lines().map { Array(($0 + "\n").utf8) }
        try trial.write(Array(lines[0..<3].joined()), 1)
        try trial.write(Array(lines[3..<6].joined()), 2)
        try trial.run(6..<7)
        #expect(try trial.records() == 7)
        #expect(trial.lines(2).count == 4)
        try trial.write(Array(lines[0..<2].joined()), 1)
        guard case .damaged(let fault) = try error(trial) else {
            Issue.record("it was opened")
            return
        }
        #expect(fault.kind == .sequence(found: 4))
    }

    @Test("An empty newest file is gone on with from the one before")
    func emptyFile() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<2)
        try trial.write([], 2)
        try trial.write([], 3)
        try trial.run(2..<3)
        #expect(try trial.records() == 3)
        #expect(trial.lines(3).count == 1)
    }

    @Test("A log is not gone on with from a file that is missing, or that a line was cut off")
    func brokenFileBefore() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<2)
        let whole = trial.contents()
        try trial.write([], 2)
        try trial.write(whole.dropLast(), 1)
        #expect(
            try error(trial)
                == .damaged(AuditFault(file: "audit-000001.jsonl", line: nil, sequence: 2, kind: .incompleteLine)))
        try trial.write(Array(whole.prefix(10)), 1)
        #expect(
            try error(trial)
                == .damaged(AuditFault(file: "audit-000001.jsonl", line: nil, sequence: nil, kind: .incompleteLine)))
        try FileManager.default.removeItem(atPath: trial.file(1))
        #expect(try error(trial) == .missing(file: "audit-000001.jsonl"))
        try trial.write(whole, 1)
        #expect(try error(trial) == nil)
    }

    @Test("Two gateways never write one log")
    func locked() throws {
        let trial = try TrialDirectory()
        let first = try AuditWriter(trial.settings())
        try first.start()
        #expect(try error(trial) == .locked(directory: trial.path))
        first.stop()
        #expect(try error(trial) == nil)
    }

    @Test("A directory that cannot be made, read or written is refused with a reason")
    func unusable() throws {
        let trial = try TrialDirectory()
        try Data().write(to: URL(fileURLWithPath: trial.path))
        guard case .file(let error) = try error(trial) else {
            Issue.record("it was opened")
            return
        }
        #expect(error.code == ENOTDIR)
        let writer = try AuditWriter(
            AuditWriterSettings(
                directory: trial.path + "/deeper/still", durability: .batched, logger: trial.settings().logger))
        #expect(throws: AuditWriterError.self) { try writer.start() }
    }

    @Test("A directory that must not be written is refused", .enabled(if: geteuid() != 0, "root may write everywhere"))
    func unwritable() throws {
        let trial = try TrialDirectory()
        try FileManager.default.createDirectory(atPath: trial.path, withIntermediateDirectories: false)
        _ = unsafe chmod(trial.path, 0o500)
        guard case .file(let error) = try error(trial) else {
            Issue.record("it was opened")
            return
        }
        #expect(error.code == EACCES)
        #expect(error.description.hasPrefix("cannot open \(trial.path)/audit.lock: "))
    }

    @Test("A file in the log's place that leads elsewhere is not written through")
    func link() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<1)
        try FileManager.default.moveItem(atPath: trial.file(), toPath: trial.path + "/elsewhere")
        try FileManager.default.createSymbolicLink(atPath: trial.file(), withDestinationPath: trial.path + "/elsewhere")
        guard case .file(let error) = try error(trial) else {
            Issue.record("it was opened")
            return
        }
        #expect(error.code == ELOOP)
    }
}
