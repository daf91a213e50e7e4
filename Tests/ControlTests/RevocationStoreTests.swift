import Bytes
import Foundation
import Identity
import Revocation
import Testing

@testable import Control

@Suite("A store of revocations")
struct RevocationStoreTests {
    private static let start = TrialStore.start

    private func opened(_ trial: TrialStore) throws -> (store: RevocationStore, set: RevocationSet) {
        let store = try trial.open()
        return (store, try store.load(now: Self.start))
    }

    @Test("What was inserted is there again, of every level")
    func persists() throws {
        let trial = try TrialStore()
        let (store, empty) = try opened(trial)
        #expect(empty.isEmpty && store.nextExpiry == nil)
        let revocations = [
            try TrialStore.revocation(.token, "j", issuer: "https://i"), try TrialStore.revocation(.agent, "a"),
            try TrialStore.revocation(.task, "a/b/c"), try TrialStore.revocation(.chain, "spiffe://example.test/a"),
            try TrialStore.revocation(.certificate, "0a", issuer: "CN=ca"),
            try TrialStore.revocation(.key, String(repeating: "A", count: 43)),
            try Revocation(
                level: .everything, value: "*", reason: "", source: "feed:f", createdAt: Self.start,
                expiresAt: Self.start + .seconds(60)),
        ]
        let stored = try store.insert(revocations)
        #expect(stored.map(\.revocation) == revocations)
        #expect(Set(stored.map(\.id)).count == revocations.count)
        store.close()

        let (again, set) = try opened(trial)
        #expect(set.count == 9)
        #expect(revocations.flatMap(\.keys).allSatisfy { set.contains($0) })
        #expect(try again.page(after: nil, limit: 100, level: nil, source: nil) == stored)
        #expect(again.count == 7 && again.countBySource() == ["admin": 6, "feed:f": 1])
        #expect(again.nextExpiry == Self.start + .seconds(60))
    }

    @Test("What was answered survives the end of the process, whether or not it has reached the database itself")
    func survivesKill() throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        for index in 0..<50 {
            _ = try store.insert([try TrialStore.revocation(.agent, "agent-\(index)")])
            guard index % 10 == 0 else { continue }
            let set = try opened(try trial.copy()).set
            #expect(set.count == index + 1 && set.contains(.agent("agent-\(index)")))
        }
    }

    @Test("The same by the same source is one entry, which lasts until the later end")
    func repeats() throws {
        let (store, _) = try opened(try TrialStore())
        let first = try store.insert([try TrialStore.revocation(.agent, "a", lasts: 60)])[0]
        let earlier = try store.insert([try TrialStore.revocation(.agent, "a", lasts: 30)])[0]
        #expect(earlier == first)
        let later = try store.insert([try TrialStore.revocation(.agent, "a", lasts: 90)])[0]
        #expect(later.id == first.id && later.revocation.expiresAt == Self.start + .seconds(90))
        #expect(try store.entry(id: first.id) == later)
        #expect(store.count == 1 && store.nextExpiry == Self.start + .seconds(90))
        let chain = try store.insert([try TrialStore.revocation(.chain, "a")])[0]
        #expect(chain.id != first.id && store.count == 2)
    }

    @Test("What two sources have revoked is gone only when both have taken it back")
    func sources() throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        let revocation = { try TrialStore.revocation(.task, "o/t", source: $0) }
        let stored = try store.insert([try revocation("admin"), try revocation("feed:f")])
        #expect(stored[0].id != stored[1].id)
        let first = try #require(try store.remove(id: stored[0].id))
        #expect(first.revocation == stored[0] && first.gone == [])
        #expect(try store.remove(id: stored[0].id) == nil)
        let second = try #require(try store.remove(id: stored[1].id))
        #expect(second.gone == [.task("o/t"), .task("t", of: "o")])
        #expect(store.count == 0 && store.countBySource() == [:] && store.nextExpiry == nil)
        store.close()
        #expect(try opened(trial).set.isEmpty)
    }

    @Test(
        "An identifier is never given again, and nothing else is one",
        arguments: ["", "r", "1", "r01", "r-1", "r1 ", "r9"])
    func identifiers(_ id: String) throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        let first = try store.insert([try TrialStore.revocation(.agent, "a")])[0]
        #expect(try store.entry(id: first.id) == first)
        #expect(try store.entry(id: id) == nil && store.remove(id: id) == nil)
        _ = try store.remove(id: first.id)
        store.close()
        let (again, _) = try opened(trial)
        #expect(try again.insert([try TrialStore.revocation(.agent, "a")])[0].id != first.id)
    }

    @Test("Entries that have ended are left out, and dropped a few at a time")
    func expiry() throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        _ = try store.insert((1...5).map { try TrialStore.revocation(.agent, "a\($0)", lasts: $0) })
        _ = try store.insert([try TrialStore.revocation(.agent, "a2", source: "feed:f", lasts: 60)])
        let now = Self.start + .seconds(3)
        let set = try store.load(now: now)
        #expect(set.count == 3)
        #expect(["a2", "a4", "a5"].allSatisfy { set.contains(.agent($0)) })
        #expect(try store.expire(now: Self.start, atMost: 10) == [])
        // The second agent is revoked by another source still.
        #expect(try store.expire(now: now, atMost: 2) == [.agent("a1")])
        #expect(store.nextExpiry == Self.start + .seconds(3))
        #expect(try store.expire(now: now, atMost: 2) == [.agent("a3")])
        #expect(try store.expire(now: now, atMost: 2) == [])
        #expect(store.count == 3 && store.nextExpiry == Self.start + .seconds(4))
    }

    @Test("Pages follow one another, of all entries or of some")
    func paging() throws {
        let (store, _) = try opened(try TrialStore())
        let levels: [RevocationLevel] = [.agent, .chain, .task]
        let stored = try store.insert(
            (0..<30).map {
                try TrialStore.revocation(levels[$0 % 3], "v\($0)", source: $0 % 2 == 0 ? "admin" : "feed:f")
            })
        func all(_ limit: Int, _ level: RevocationLevel? = nil, _ source: String? = nil) throws -> [StoredRevocation] {
            var (found, last): ([StoredRevocation], String?) = ([], nil)
            while true {
                let page = try store.page(after: last, limit: limit, level: level, source: source)
                #expect(page.count <= limit)
                guard let end = page.last else { return found }
                found += page
                last = end.id
            }
        }
        #expect(try all(7) == stored)
        #expect(try all(4, .chain) == stored.filter { $0.revocation.level == .chain })
        #expect(try all(4, nil, "feed:f") == stored.filter { $0.revocation.source == "feed:f" })
        #expect(
            try all(2, .task, "admin")
                == stored.filter { $0.revocation.level == .task && $0.revocation.source == "admin" })
        #expect(try all(2, .everything) == [])
    }

    @Test("Nobody else may read it, and nobody else may have it")
    func privacy() throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        _ = try store.insert([try TrialStore.revocation(.agent, "a")])
        for file in [trial.path, trial.path + "-wal", trial.markPath] {
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        #expect(trial.failure()?.kind == .busy)
        // A backup is made while the gateway serves.
        let reader = try SQLiteDatabase(path: trial.path)
        #expect(try reader.number("SELECT count(*) FROM entries") == 1)
        _ = try store.insert([try TrialStore.revocation(.agent, "b")])
        #expect(try reader.number("SELECT count(*) FROM entries") == 2)
        store.close()
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: trial.path)
        #expect(trial.failure() == nil)
        #expect(try FileManager.default.attributesOfItem(atPath: trial.path)[.posixPermissions] as? Int == 0o600)
    }

    @Test("A batch that does not fit on the disk is not there at all, and all that was there is")
    func fullDisk() throws {
        let trial = try TrialStore()
        let (store, _) = try opened(trial)
        let first = try store.insert([try TrialStore.revocation(.agent, "a")])
        try store.table?.database.execute("PRAGMA max_page_count = 12")
        let batch = try (0..<5000).map { try TrialStore.revocation(.agent, "agent-\($0)") }
        let failure = #expect(throws: RevocationStoreError.self) { try store.insert(batch) }
        #expect(failure?.kind == .failed)
        #expect(store.count == 1)
        #expect(try store.page(after: nil, limit: 10, level: nil, source: nil) == first)
        try store.table?.database.execute("PRAGMA max_page_count = 1000000")
        #expect(try store.insert(batch).count == 5000)
        store.close()
        #expect(try opened(trial).set.count == 5001)
    }

    @Test("A store that was closed answers nothing")
    func closed() throws {
        let (store, _) = try opened(try TrialStore())
        store.close()
        #expect(throws: RevocationStoreError.self) { try store.insert([]) }
        #expect(throws: RevocationStoreError.self) { try store.load(now: Self.start) }
    }

    @Test("It holds what a dictionary holds, whatever is done", arguments: 1...3 as ClosedRange<UInt64>)
    func model(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let trial = try TrialStore()
        var (store, set) = try opened(trial)
        var model: [String: StoredRevocation] = [:]
        var now = Self.start
        for _ in 0..<400 {
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                store.close()
                store = try trial.open()
                set = try store.load(now: now)
            case 1..<4:
                now = now + .seconds(Int64.random(in: 0..<4, using: &generator))
                for key in try store.expire(now: now, atMost: 1000) { set.remove(key) }
                model = model.filter { $0.value.revocation.expiresAt > now }
            case 4..<8:
                guard let id = model.keys.sorted().randomElement(using: &generator) else { continue }
                let removed = try #require(try store.remove(id: id))
                #expect(removed.revocation == model.removeValue(forKey: id))
                for key in removed.gone { set.remove(key) }
            default:
                let batch = try (0..<Int.random(in: 1..<4, using: &generator)).map { _ in
                    try Revocation(
                        level: [.agent, .task].randomElement(using: &generator) ?? .agent,
                        value: ["a", "b", "o/t", "o/p/t"].randomElement(using: &generator) ?? "",
                        source: ["admin", "feed:f"].randomElement(using: &generator) ?? "", createdAt: now,
                        expiresAt: now + .seconds(Int64.random(in: 1..<40, using: &generator)))
                }
                for stored in try store.insert(batch) {
                    model[stored.id] = stored
                    for key in stored.revocation.keys { set.insert(key) }
                }
            }
            #expect(store.count == model.count)
            let held = Set(model.values.flatMap(\.revocation.keys))
            #expect(set.count == held.count && held.allSatisfy { set.contains($0) })
        }
        let page = try store.page(after: nil, limit: 1000, level: nil, source: nil)
        #expect(Dictionary(uniqueKeysWithValues: page.map { ($0.id, $0) }) == model)
    }
}

/// Random numbers from a seed, so that every run does the same.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
