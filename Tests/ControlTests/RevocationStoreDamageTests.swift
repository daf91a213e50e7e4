import Bytes
import Foundation
import Identity
import Revocation
import Testing

@testable import Control

@Suite("A store of revocations that is not as it was left")
struct RevocationStoreDamageTests {
    private static let start = TrialStore.start

    /// Whether the store still holds exactly what it held; nothing where it says that it does not.
    private func holds(_ stored: [StoredRevocation], _ trial: TrialStore) throws -> Bool? {
        do throws(RevocationStoreError) {
            let store = try RevocationStore.open(path: trial.path, markPath: trial.markPath, now: Self.start)
            let set = try store.load(now: Self.start)
            guard set.count == stored.count else { return false }
            let page = try store.page(after: nil, limit: stored.count + 1, level: nil, source: nil)
            return page == stored && stored.flatMap(\.revocation.keys).allSatisfy { set.contains($0) }
        } catch {
            #expect([.damaged, .foreign, .failed, .laterVersion, .other, .older].contains(error.kind))
            return nil
        }
    }

    @Test("A store that has vanished is missed, until its mark goes too")
    func missing() throws {
        let trial = try TrialStore()
        _ = try trial.fill(3)
        #expect(trial.failure() == nil)
        try trial.remove(trial.path)
        #expect(trial.failure()?.kind == .missing)
        try trial.write(Data(), to: trial.path)
        #expect(trial.failure()?.kind == .missing)
        try trial.remove(trial.markPath)
        #expect(trial.failure() == nil)
        #expect(try trial.open().count == 0)
    }

    @Test("A store without a mark gets one")
    func unmarked() throws {
        let trial = try TrialStore()
        let stored = try trial.fill(3)
        try trial.remove(trial.markPath)
        #expect(try holds(stored, trial) == true)
        try trial.remove(trial.path)
        #expect(trial.failure()?.kind == .missing)
    }

    @Test("Another store in its place is not taken for it")
    func other() throws {
        let (trial, other) = (try TrialStore(), try TrialStore())
        _ = try trial.fill(3)
        _ = try other.fill(3)
        try trial.write(try other.contents(other.path), to: trial.path)
        #expect(trial.failure()?.kind == .other)
        try trial.remove(trial.markPath)
        #expect(trial.failure() == nil)
    }

    @Test("A store that lost its latest changes is not taken for whole")
    func older() throws {
        let trial = try TrialStore()
        _ = try trial.fill(3)
        let backup = try trial.contents(trial.path)
        let store = try trial.open()
        _ = try store.insert([try TrialStore.revocation(.chain, "late")])
        // The process has ended, and somebody takes the database along without its log.
        let copy = try trial.copy()
        try copy.remove(copy.path + "-wal")
        #expect(copy.failure()?.kind == .older)
        store.close()
        try trial.write(backup, to: trial.path)
        #expect(trial.failure()?.kind == .older)
        try trial.remove(trial.markPath)
        #expect(trial.failure() == nil)
    }

    @Test("A file of another kind is refused and left as it is")
    func foreign() throws {
        let trial = try TrialStore()
        _ = try trial.fill(1)
        try trial.remove(trial.path)
        try trial.remove(trial.markPath)
        try trial.write(Data(repeating: 0x41, count: 10_000), to: trial.path)
        #expect(trial.failure()?.kind == .damaged)
        try trial.write(Data(), to: trial.path)
        try trial.edit("CREATE TABLE entries (a)")
        let before = try trial.contents(trial.path)
        #expect(trial.failure()?.kind == .foreign)
        #expect(try trial.contents(trial.path) == before)
    }

    @Test("A store of a later version is left to that")
    func laterVersion() throws {
        let trial = try TrialStore()
        _ = try trial.fill(1)
        try trial.edit("PRAGMA user_version = 2")
        #expect(trial.failure()?.kind == .laterVersion)
        try trial.edit("PRAGMA user_version = 1")
        #expect(trial.failure() == nil)
    }

    @Test(
        "A mark that says nothing is not taken for none",
        arguments: ["", "garbage", "sallyport revocation store x 1\n"])
    func unreadableMark(_ text: String) throws {
        let trial = try TrialStore()
        _ = try trial.fill(1)
        try trial.write(Data(text.utf8), to: trial.markPath)
        #expect(trial.failure()?.kind == .markDamaged)
    }

    @Test("A byte of a value that has changed is noticed, and so are rows that are gone")
    func changedRow() throws {
        let trial = try TrialStore()
        _ = try trial.fill(100)
        var bytes = try trial.contents(trial.path)
        let value = try #require(bytes.range(of: Data("agent-42".utf8)))
        bytes[value.lowerBound] ^= 1
        let whole = try trial.contents(trial.path)
        try trial.write(bytes, to: trial.path)
        #expect(trial.failure()?.kind == .damaged)
        for change in [
            "DELETE FROM entries WHERE id = 7", "UPDATE entries SET level = 'chain' WHERE id = 7",
            "UPDATE entries SET expires = 1 WHERE id = 7", "UPDATE entries SET id = 1000 WHERE id = 7",
            "UPDATE entries SET reason = NULL WHERE id = 7", "UPDATE totals SET entries = 0", "DELETE FROM totals",
            "DELETE FROM entries; UPDATE totals SET entries = 0, sum = 0", "DROP TABLE entries",
            "DROP INDEX entries_by_expiry", "ALTER TABLE totals DROP COLUMN sum",
        ] {
            try trial.write(whole, to: trial.path)
            #expect(trial.failure() == nil)
            try trial.edit(change)
            #expect(trial.failure()?.kind == .damaged, "\(change)")
        }
    }

    @Test("A store that was cut short is refused, wherever the cut is")
    func truncated() throws {
        let trial = try TrialStore()
        let stored = try trial.fill(500)
        let whole = try trial.contents(trial.path)
        for length in stride(from: 1, to: whole.count, by: 2048) {
            try trial.write(whole.prefix(length), to: trial.path)
            #expect(try holds(stored, trial) == nil)
        }
        try trial.write(whole, to: trial.path)
        #expect(try holds(stored, trial) == true)
    }

    @Test("A page of zeros is noticed, or was of no use")
    func zeroedPages() throws {
        let trial = try TrialStore()
        let stored = try trial.fill(500)
        let whole = try trial.contents(trial.path)
        var noticed = 0
        for page in 0..<whole.count / 4096 {
            var bytes = whole
            bytes.replaceSubrange(page * 4096..<(page + 1) * 4096, with: Data(count: 4096))
            try trial.write(bytes, to: trial.path)
            let outcome = try holds(stored, trial)
            #expect(outcome != false)
            if outcome == nil { noticed += 1 }
        }
        #expect(noticed == whole.count / 4096)
    }

    @Test("A flipped bit is noticed, or does no harm", arguments: 1...4 as ClosedRange<UInt64>)
    func flippedBits(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let trial = try TrialStore()
        let stored = try trial.fill(200)
        let whole = try trial.contents(trial.path)
        var noticed = 0
        for _ in 0..<100 {
            var bytes = whole
            bytes[Int.random(in: 0..<whole.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            try trial.write(bytes, to: trial.path)
            let outcome = try holds(stored, trial)
            #expect(outcome != false)
            if outcome == nil { noticed += 1 }
        }
        #expect(noticed > 20)
    }

    @Test("What the file system refuses is told")
    func unusable() throws {
        let trial = try TrialStore()
        try trial.write(Data(), to: trial.directory + "/state")
        #expect(trial.failure()?.kind == .failed)
        try trial.remove(trial.directory + "/state")
        try FileManager.default.createDirectory(atPath: trial.path, withIntermediateDirectories: true)
        #expect(trial.failure()?.kind == .failed)
    }

    @Test("Every error names the file and what to do")
    func sentences() {
        let kinds: [RevocationStoreError.Kind] = [
            .busy, .damaged, .failed, .foreign, .laterVersion, .missing, .markDamaged, .older, .other,
        ]
        let sentences = kinds.map {
            RevocationStoreError(kind: $0, path: "s.db", markPath: "m.mark", detail: "").sentence
        }
        #expect(Set(sentences).count == kinds.count)
        #expect(sentences.allSatisfy { $0.contains("s.db") && $0.contains(": ") && !$0.hasSuffix(".") })
        for kind in [.damaged, .missing, .markDamaged, .older, .other] as [RevocationStoreError.Kind] {
            let error = RevocationStoreError(kind: kind, path: "s.db", markPath: "m.mark", detail: "page 7")
            #expect(error.sentence.contains("m.mark") && error.sentence.hasSuffix(" (page 7)"))
        }
    }
}
