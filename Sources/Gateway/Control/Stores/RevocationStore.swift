public import Bytes
import CSQLite
public import Identity
public import Revocation

/// Where revocations outlive the process: an SQLite database, one thread's.
///
/// Every change is one transaction that is on the disk when the call returns; a failed one leaves everything as it was. All rows
/// bear checksums, and a mark apart from the store says that there is one: what is lost or damaged is an error with a way out,
/// never an empty set.
public final class RevocationStore {
    private let path: String
    private let markPath: String
    // Nothing once it is closed.
    private(set) var table: RevocationTable?
    private var totals: StoreTotals
    private var lock: StoreLock?

    /// When the next entry ends.
    public private(set) var nextExpiry: UnixTime?

    /// How many entries there are, with those that have ended and were not dropped yet.
    public var count: Int { totals.entries }

    init(path: String, markPath: String, lock: StoreLock, table: RevocationTable, totals: StoreTotals) {
        self.path = path
        self.markPath = markPath
        self.lock = lock
        self.table = table
        self.totals = totals
    }

    /// Opens the store, or makes it where there never was one.
    ///
    /// - Parameters:
    ///   - path: the database; its directory is made where it is missing.
    ///   - markPath: a file, in another directory if possible, that says that there is a store.
    ///   - now: the time, for a new store.
    /// - Throws: why not; its sentence names the way out.
    public static func open(
        path: String, markPath: String, now: UnixTime
    ) throws(RevocationStoreError) -> RevocationStore {
        try StoreOpening(path: path, markPath: markPath).open(now: now)
    }

    /// Reads everything, checks it, and makes the set of what is in force.
    ///
    /// - Parameter now: what has ended by then is left out; ``expire(now:atMost:)`` drops it.
    public func load(now: UnixTime) throws(RevocationStoreError) -> RevocationSet {
        try read { (table) throws(SQLiteError) in
            let set = try table.load(totals, now: now)
            totals.bySource = try table.countBySource()
            guard totals.bySource.values.reduce(0, +) == totals.entries else {
                throw SQLiteError(code: SQLITE_CORRUPT, message: "an index does not fit the entries")
            }
            nextExpiry = try table.nextExpiry()
            return set
        }
    }

    /// How many entries there are of each source, as of the last ``load(now:)`` and all changes since.
    public func countBySource() -> [String: Int] { totals.bySource }

    // MARK: Changes

    /// Keeps revocations, all or none.
    ///
    /// What the same source has revoked already keeps its identifier, and lasts until the later of both ends.
    ///
    /// - Returns: what is kept now for each of them, in their order.
    public func insert(_ revocations: [Revocation]) throws(RevocationStoreError) -> [StoredRevocation] {
        try change { (table, totals) throws(SQLiteError) in
            var stored: [StoredRevocation] = []
            stored.reserveCapacity(revocations.count)
            for revocation in revocations { stored.append(try table.put(revocation, &totals).stored) }
            return stored
        }
    }

    /// Takes one back.
    ///
    /// - Returns: what was taken back and those of its keys that no other entry holds; nothing where there is no such entry.
    public func remove(
        id: String
    ) throws(RevocationStoreError) -> (revocation: StoredRevocation, gone: [RevocationKey])? {
        guard let number = StoredRevocation.number(of: id) else { return nil }
        return try change { (table, totals) throws(SQLiteError) in
            guard let row = try table.row(number) else { return nil }
            try table.remove(row, &totals)
            return (row.stored, try table.holds(row.key) ? [] : row.keys)
        }
    }

    /// Drops entries that have ended, the earliest first.
    ///
    /// - Parameters:
    ///   - now: the time.
    ///   - limit: how many in one go, so that nothing else has to wait; ``nextExpiry`` tells whether there are more.
    /// - Returns: those of their keys that no other entry holds.
    public func expire(now: UnixTime, atMost limit: Int) throws(RevocationStoreError) -> [RevocationKey] {
        guard let nextExpiry, nextExpiry <= now else { return [] }
        return try change { (table, totals) throws(SQLiteError) in
            let rows = try table.rows(endedAt: now, atMost: limit)
            for row in rows { try table.remove(row, &totals) }
            var gone: [RevocationKey] = []
            for row in rows where try !table.holds(row.key) { gone += row.keys }
            return gone
        }
    }

    // MARK: Looking

    /// The entry of that identifier.
    public func entry(id: String) throws(RevocationStoreError) -> StoredRevocation? {
        guard let number = StoredRevocation.number(of: id) else { return nil }
        return try read { (table) throws(SQLiteError) in try table.row(number)?.stored }
    }

    /// Entries in the order in which they were added.
    ///
    /// - Parameters:
    ///   - id: the last one of the page before; nothing: from the first. One that is gone, or that never was, is a place too.
    ///   - limit: how many at most.
    ///   - level: only those.
    ///   - source: only what that source told.
    public func page(
        after id: String?, limit: Int, level: RevocationLevel?, source: String?
    ) throws(RevocationStoreError) -> [StoredRevocation] {
        let number = id.flatMap(StoredRevocation.number) ?? 0
        return try read { (table) throws(SQLiteError) in
            try table.rows(after: number, limit: limit, level: level, source: source).map(\.stored)
        }
    }

    /// Gives the file back; no other call succeeds after that.
    public func close() {
        table = nil
        lock = nil
    }

    // MARK: Failures

    private func read<R>(_ body: (RevocationTable) throws(SQLiteError) -> R) throws(RevocationStoreError) -> R {
        guard let table else { throw closed }
        do throws(SQLiteError) { return try body(table) } catch { throw failure(error) }
    }

    private func change<R>(
        _ body: (RevocationTable, inout StoreTotals) throws(SQLiteError) -> R
    ) throws(RevocationStoreError) -> R {
        guard let table else { throw closed }
        var changed = totals
        var expiry = nextExpiry
        let result: R
        do throws(SQLiteError) {
            result = try table.database.transaction { () throws(SQLiteError) in
                let result = try body(table, &changed)
                guard changed.sum != totals.sum || changed.entries != totals.entries else { return result }
                changed.generation += 1
                try table.write(changed)
                expiry = try table.nextExpiry()
                return result
            }
        } catch { throw failure(error) }
        guard changed.generation != totals.generation else { return result }
        totals = changed
        nextExpiry = expiry
        // An older mark does no harm, and what was changed is on the disk: there is nothing to refuse.
        try? RevocationMark(store: totals.store, generation: totals.generation).replace(at: markPath)
        return result
    }

    private var closed: RevocationStoreError {
        RevocationStoreError(kind: .failed, path: path, markPath: markPath, detail: "it was closed")
    }

    private func failure(_ error: SQLiteError) -> RevocationStoreError {
        RevocationStoreError(error, path: path, markPath: markPath)
    }
}

extension RevocationStoreError {
    /// What an error of SQLite means for the store.
    init(_ error: SQLiteError, path: String, markPath: String) {
        let kind: Kind = error.isBusy ? .busy : error.isDamage ? .damaged : .failed
        self.init(kind: kind, path: path, markPath: markPath, detail: error.message)
    }
}
