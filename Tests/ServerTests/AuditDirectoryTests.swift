import Audit
import Bytes
import Foundation
import Testing

@testable import Server

@Suite("The directory of the audit log")
struct AuditDirectoryTests {
    @Test(
        "A file's name has six digits, or as many as it needs",
        arguments: [
            (1, "audit-000001.jsonl"), (999_999, "audit-999999.jsonl"), (1_000_000, "audit-1000000.jsonl"),
        ])
    func names(number: Int, expected: String) {
        #expect(AuditDirectory.fileName(number) == expected)
    }

    @Test("Only files of the log count, by number and not by name")
    func listing() throws {
        let trial = try TrialDirectory()
        for number in [2, 1, 1_000_000, 999_999] { try trial.write([], number) }
        for name in [
            "audit-1.jsonl", "audit-000003.jsonl.gz", "audit-0000004.jsonl", "audit-000000.jsonl", "audit-00000x.jsonl",
            "audit.lock", "audit.pub", "checkpoints", "audit--00001.jsonl", "xaudit-000001.jsonl", "audit-+00005.jsonl",
        ] {
            try Data().write(to: URL(fileURLWithPath: trial.path + "/" + name))
        }
        #expect(try trial.directory.fileNumbers() == [1, 2, 999_999, 1_000_000])
    }

    @Test("Each outcome of a check has its exit code")
    func outcomes() throws {
        let trial = try TrialDirectory()
        #expect(trial.directory.verify().exitCode == 2)
        try trial.run(0..<0)
        #expect(trial.directory.verify() == .intact(files: 1, records: 0, head: .zero))
        try trial.run(0..<5)
        #expect(trial.directory.verify().exitCode == 0)
        let whole = trial.contents()
        var changed = whole
        changed[30] ^= 1
        try trial.write(changed)
        #expect(
            trial.directory.verify()
                == .tampered(AuditFault(file: "audit-000001.jsonl", line: 1, sequence: 1, kind: .changed)))
        #expect(trial.directory.verify().exitCode == 1)
        try trial.write(whole.dropLast())
        #expect(trial.directory.verify().exitCode == 1)
        try trial.write(whole)
        try trial.write([], 3)
        #expect(trial.directory.verify() == .missing(file: "audit-000002.jsonl"))
        #expect(trial.directory.verify().exitCode == 1)
        try FileManager.default.removeItem(atPath: trial.path)
        try FileManager.default.createDirectory(atPath: trial.path, withIntermediateDirectories: false)
        #expect(trial.directory.verify().exitCode == 2)
    }

    @Test("A log of many pieces is read whole")
    func long() throws {
        let trial = try TrialDirectory()
        try trial.run(0..<5000)
        #expect(trial.contents().count > 1 << 19)
        #expect(try trial.records() == 5000)
    }
}
