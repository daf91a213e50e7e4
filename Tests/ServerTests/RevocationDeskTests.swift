import Audit
import Bytes
import Control
import Foundation
import Identity
import Revocation
import Testing

@testable import Server

@Suite("The book of what is revoked")
struct RevocationDeskTests {
    /// What the desk told, in order.
    private final class Told {
        var snapshots: [RevocationSnapshot] = []
        var orders: [RevocationChange.Order] = []
        var outcomes: [String] = []
    }

    /// A desk in a directory of its own, whose workers are the test.
    private final class Scene {
        let trial: TrialDirectory
        let told = Told()
        let desk: RevocationDesk
        private let queue = AuditQueue(capacity: 1 << 16)
        private let writer: AuditWriter

        init() throws {
            trial = try TrialDirectory()
            writer = try AuditWriter(trial.settings())
            writer.register(queue) {}
            try writer.start()
            let told = told
            try FileManager.default.createDirectory(atPath: trial.path, withIntermediateDirectories: true)
            desk = try RevocationDesk(
                path: trial.path + "/revocations.db", markPath: trial.path + "/revocations.mark",
                records: ControlRecords(queue: queue, writer: writer)
            ) { snapshot, change in
                told.snapshots.append(snapshot)
                if case .orders(let orders) = change { told.orders += orders }
            }
        }

        func revoke(_ agent: String, by actor: String, reason: String) throws {
            let now = UnixTime(nanoseconds: Int64(Date().timeIntervalSince1970) * 1_000_000_000)
            let revocation = try Revocation(
                level: .agent, value: agent, reason: reason, source: "admin", by: actor, createdAt: now,
                expiresAt: now + .seconds(3600))
            let told = told
            desk.revoke([revocation]) { outcome in
                if case .enforced(let entries, let ended, _) = outcome {
                    told.outcomes.append("\(actor) \(entries.map(\.id)) \(ended.connections)")
                }
            }
        }

        /// Closes the log, and reads it.
        func lines() -> [String] {
            desk.close()
            writer.stop()
            return trial.lines()
        }
    }

    @Test("Nobody is answered before the workers enforce it, and each order hears what it has ended itself")
    func answersLast() throws {
        let scene = try Scene()
        try scene.revoke("alice", by: "one", reason: "first")
        try scene.revoke("bob", by: "two", reason: "second")
        #expect(scene.told.snapshots.isEmpty && scene.desk.count == 0)
        scene.desk.flush()
        #expect(scene.told.snapshots.count == 1 && scene.desk.count == 2)
        #expect(scene.told.snapshots[0].set.contains(.agent("alice")))
        #expect(scene.told.snapshots[0].set.contains(.agent("bob")))
        #expect(scene.told.orders.map(\.keys) == [[.agent("alice")], [.agent("bob")]])
        #expect(scene.told.outcomes.isEmpty)
        scene.told.orders[1].enforced(Enforcement(connections: 2))
        #expect(scene.told.outcomes == ["two [\"r2\"] 2"])
        scene.told.orders[0].enforced(Enforcement())
        #expect(scene.told.outcomes.last == "one [\"r1\"] 0")
    }

    @Test("Who revokes anew what was revoked is on record with an own reason")
    func recordsEachAct() throws {
        let scene = try Scene()
        try scene.revoke("alice", by: "one", reason: "first")
        scene.desk.flush()
        try scene.revoke("alice", by: "two", reason: "second")
        scene.desk.flush()
        #expect(scene.desk.count == 1)
        let lines = scene.lines()
        try #require(lines.count == 2)
        #expect(lines[0].contains(#""by":"one""#) && lines[0].contains(#""reason":"first""#))
        #expect(lines[1].contains(#""by":"two""#) && lines[1].contains(#""reason":"second""#))
        #expect(lines.allSatisfy { $0.contains(#""id":"r1""#) && $0.contains(#""event":"credential.revoked""#) })
    }

    @Test("What is taken back is found no more, and looked for nowhere")
    func takesBack() throws {
        let scene = try Scene()
        try scene.revoke("alice", by: "one", reason: "first")
        scene.desk.flush()
        let wasThere = try scene.desk.unrevoke(id: "r1", by: "two") { _ in scene.told.outcomes.append("back") }
        #expect(wasThere && scene.told.snapshots.last?.set.isEmpty == true)
        #expect(scene.told.orders.last?.keys.isEmpty == true && scene.told.outcomes.isEmpty)
        scene.told.orders.last?.enforced(Enforcement())
        #expect(scene.told.outcomes == ["back"])
        let isThereStill = try scene.desk.unrevoke(id: "r1", by: "two") { _ in }
        #expect(!isThereStill)
    }

    @Test("That a feed was heard concerns nothing that lives")
    func freshness() throws {
        let scene = try Scene()
        let fresh = [FeedFreshness(name: "signals", freshUntil: UnixTime(seconds: 5), deniesWhenStale: true)]
        scene.desk.adopt(freshness: fresh)
        scene.desk.adopt(freshness: fresh)
        #expect(scene.told.snapshots.map(\.freshness) == [fresh])
        #expect(scene.told.orders.isEmpty)
    }
}
