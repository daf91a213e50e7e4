import Audit
import Bytes
import Control
import Identity
import Reactor
import Revocation

/// The control thread's book of what is revoked: durable first, then enforced by every worker, and only then answered.
///
/// What comes in during one turn of the control loop is written in one transaction: ``flush()``.
final class RevocationDesk {
    /// What became of something that was to be revoked.
    enum Outcome {
        /// It is durable, and every worker enforces it.
        case enforced([StoredRevocation], Enforcement, at: UnixTime)
        /// It could not be made durable: nothing has changed.
        case failed(RevocationStoreError)
    }

    private struct Order {
        let revocations: [Revocation]
        let completion: (Outcome) -> Void
    }

    /// Has every worker decide by a snapshot.
    typealias Publish = (RevocationSnapshot, RevocationChange) -> Void

    private let store: RevocationStore
    private let records: ControlRecords
    private let publish: Publish
    private var orders: [Order] = []
    /// Everything that is revoked now, as it is published.
    private(set) var snapshot: RevocationSnapshot
    private var nextExpiryCheck: Int64 = 0
    /// When the book was opened, by both clocks.
    private let opened: (civil: UnixTime, monotonic: Int64)

    /// How many expired entries are removed in one turn: few, since what is to be revoked meanwhile waits for it.
    private static let expiredAtOnce = 128
    /// How often expired entries are looked for, and how long others have their turn between two batches, in nanoseconds.
    private static let expiryInterval: Int64 = 1_000_000_000
    private static let expiryPause: Int64 = 20_000_000

    /// Opens the book.
    ///
    /// - Parameters:
    ///   - path: the store.
    ///   - markPath: where it is noted that there is one, so that it cannot vanish unnoticed.
    ///   - records: the control thread's way into the log.
    ///   - publish: has workers decide by a snapshot.
    init(
        path: String, markPath: String, records: ControlRecords, publish: @escaping Publish
    ) throws(RevocationStoreError) {
        let now = UnixTime(nanoseconds: Clock.civil())
        opened = (now, Clock.monotonic())
        store = try RevocationStore.open(path: path, markPath: markPath, now: now)
        snapshot = RevocationSnapshot(set: try store.load(now: now))
        self.records = records
        self.publish = publish
    }

    /// How many entries there are.
    var count: Int { store.count }

    /// How many entries there are of each source.
    var countBySource: [String: Int] { store.countBySource() }

    // MARK: Changes

    /// Revokes something, with the next ``flush()``.
    func revoke(_ revocations: [Revocation], completion: @escaping (Outcome) -> Void) {
        orders.append(Order(revocations: revocations, completion: completion))
    }

    /// Makes durable what was ordered, and has it enforced.
    func flush() {
        guard !orders.isEmpty else { return }
        let orders = orders
        self.orders = []
        write(orders)
    }

    /// Makes some orders durable in one transaction, and has them enforced.
    private func write(_ orders: [Order]) {
        do throws(RevocationStoreError) {
            var stored = try store.insert(orders.flatMap(\.revocations))[...]
            var changes: [RevocationChange.Order] = []
            for order in orders {
                let own = Array(stored.prefix(order.revocations.count))
                stored = stored.dropFirst(own.count)
                changes.append(enter(own, order))
            }
            publish(snapshot, .orders(changes))
        } catch {
            guard orders.count > 1 else { return orders[0].completion(.failed(error)) }
            // What one order stumbles over is no reason to fail the others.
            for order in orders { write([order]) }
        }
    }

    /// Adds what is durable to what is published next; each order hears what it alone has ended.
    private func enter(_ entries: [StoredRevocation], _ order: Order) -> RevocationChange.Order {
        let keys = Set(entries.flatMap(\.revocation.keys))
        change { set in for key in keys { set.insert(key) } }
        // Who revokes again what was revoked is on record too, though the entry stays the first one's.
        for (entry, act) in zip(entries, order.revocations) {
            record(.credentialRevoked, entry, by: act.by, reason: act.reason)
        }
        return RevocationChange.Order(keys: keys) { enforcement in
            order.completion(.enforced(entries, enforcement, at: UnixTime(nanoseconds: Clock.civil())))
        }
    }

    /// Takes a revocation back.
    ///
    /// - Returns: whether there was one; what another source has revoked too stays so.
    func unrevoke(
        id: String, by actor: String, completion: @escaping (StoredRevocation) -> Void
    ) throws(RevocationStoreError) -> Bool {
        guard let (entry, gone) = try store.remove(id: id) else { return false }
        record(.credentialUnrevoked, entry, by: actor, reason: entry.revocation.reason)
        change { set in for key in gone { set.remove(key) } }
        publish(snapshot, .orders([RevocationChange.Order(keys: []) { _ in completion(entry) }]))
        return true
    }

    /// Publishes other status lists: what they say of tokens in use is enforced too.
    func adopt(statusLists: StatusListTable) {
        snapshot = snapshot.with(statusLists: statusLists)
        publish(snapshot, .statusLists)
    }

    /// Publishes until when each feed may be believed.
    func adopt(freshness: [FeedFreshness]) {
        guard freshness != snapshot.freshness else { return }
        snapshot = snapshot.with(freshness: freshness)
        publish(snapshot, .nothingLiving)
    }

    private func change(_ body: (inout RevocationSet) -> Void) {
        var set = snapshot.set
        body(&set)
        snapshot = snapshot.with(set: set)
    }

    /// Removes what has expired: it holds nothing any more that could still be used.
    ///
    /// - Throws: where the store cannot be written; then what has expired stays revoked.
    func expire() throws(RevocationStoreError) {
        let monotonic = Clock.monotonic()
        guard monotonic >= nextExpiryCheck else { return }
        nextExpiryCheck = monotonic + Self.expiryInterval
        let now = steadyTime
        guard let next = store.nextExpiry, next <= now else { return }
        let gone = try store.expire(now: now, atMost: Self.expiredAtOnce)
        if let next = store.nextExpiry, next <= now { nextExpiryCheck = monotonic + Self.expiryPause }
        guard !gone.isEmpty else { return }
        change { set in for key in gone { set.remove(key) } }
        publish(snapshot, .nothingLiving)
    }

    /// How long until ``expire()`` has something to do, in milliseconds.
    var delay: Int64? {
        guard let next = store.nextExpiry else { return nil }
        let untilExpiry = (next - steadyTime).nanoseconds
        return max(0, max(untilExpiry, nextExpiryCheck - Clock.monotonic())) / 1_000_000 + 1
    }

    /// The civil time, unless that has run ahead of the time that has passed: what a wrong clock removes is gone for good.
    private var steadyTime: UnixTime {
        let passed = Interval(nanoseconds: Clock.monotonic() - opened.monotonic)
        return min(UnixTime(nanoseconds: Clock.civil()), opened.civil + passed)
    }

    // MARK: Questions

    /// A page of the book.
    func page(
        after id: String?, limit: Int, level: RevocationLevel?, source: String?
    ) throws(RevocationStoreError) -> [StoredRevocation] {
        try store.page(after: id, limit: limit, level: level, source: source)
    }

    /// Closes the book.
    func close() {
        store.close()
    }

    private func record(_ event: AuditEvent, _ entry: StoredRevocation, by actor: String?, reason: String?) {
        var record = ControlRecord(event, by: actor, issuer: entry.revocation.issuer, reason: reason)
        record.expiresAt = entry.revocation.expiresAt
        record.id = entry.id
        record.level = entry.revocation.level.rawValue
        record.source = entry.revocation.source
        record.value = entry.revocation.value
        records.submit(record)
    }
}
