import Bytes
import CSQLite
import Identity
import Revocation

/// The table of revocations in an open database: single rows, and all of them.
///
/// Every row that is read is checked.
final class RevocationTable {
    let database: SQLiteDatabase
    private let byKey: SQLiteStatement
    private let byNumber: SQLiteStatement
    private let others: SQLiteStatement
    private let insertion: SQLiteStatement
    private let deletion: SQLiteStatement
    private let ended: SQLiteStatement
    private let soonest: SQLiteStatement
    private let totalling: SQLiteStatement

    /// Takes the database over.
    init(_ database: SQLiteDatabase) throws(SQLiteError) {
        let columns = RevocationRow.columns
        self.database = database
        byKey = try database.prepare("SELECT \(columns) FROM entries WHERE key = ?1 AND source = ?2")
        byNumber = try database.prepare("SELECT \(columns) FROM entries WHERE id = ?1")
        others = try database.prepare("SELECT 1 FROM entries WHERE key = ?1 LIMIT 1")
        insertion = try database.prepare(
            "REPLACE INTO entries (\(columns)) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
        deletion = try database.prepare("DELETE FROM entries WHERE id = ?1")
        ended = try database.prepare("SELECT \(columns) FROM entries WHERE expires <= ?1 ORDER BY expires LIMIT ?2")
        soonest = try database.prepare("SELECT expires FROM entries ORDER BY expires LIMIT 1")
        totalling = try database.prepare(StoreTotals.update)
    }

    // MARK: Single rows

    /// Adds a revocation, or makes the one that says the same last longer.
    func put(_ revocation: Revocation, _ totals: inout StoreTotals) throws(SQLiteError) -> RevocationRow {
        let new = RevocationRow(number: totals.takeNumber(), revocation: revocation)
        guard let old = try row(of: new) else {
            try write(new)
            totals.add(new)
            return new
        }
        guard revocation.expiresAt > old.revocation.expiresAt else { return old }
        let longer = try old.lasting(until: revocation.expiresAt)
        try write(longer)
        totals.remove(old)
        totals.add(longer)
        return longer
    }

    /// Takes a row away.
    func remove(_ row: RevocationRow, _ totals: inout StoreTotals) throws(SQLiteError) {
        try deletion.bind(row.number, at: 1)
        try deletion.run()
        totals.remove(row)
    }

    /// Whether any row has those keys.
    func holds(_ key: [UInt8]) throws(SQLiteError) -> Bool {
        try others.bind(key, at: 1)
        defer { others.reset() }
        return try others.step()
    }

    func row(_ number: Int64) throws(SQLiteError) -> RevocationRow? {
        try byNumber.bind(number, at: 1)
        return try rows(of: byNumber).first
    }

    private func row(of other: RevocationRow) throws(SQLiteError) -> RevocationRow? {
        try byKey.bind(other.key, at: 1)
        try byKey.bind(other.revocation.source, at: 2)
        guard let row = try rows(of: byKey).first else { return nil }
        guard row.key == other.key, row.revocation.source == other.revocation.source else { throw Self.misfit }
        return row
    }

    private func write(_ row: RevocationRow) throws(SQLiteError) {
        try row.bind(to: insertion)
        try insertion.run()
    }

    // MARK: Several rows

    /// The rows behind a number, in the order in which they were added.
    func rows(
        after number: Int64, limit: Int, level: RevocationLevel?, source: String?
    ) throws(SQLiteError) -> [RevocationRow] {
        let conditions = (level == nil ? "" : " AND level = ?3") + (source == nil ? "" : " AND source = ?4")
        let page = try database.prepare(
            "SELECT \(RevocationRow.columns) FROM entries WHERE id > ?1\(conditions) ORDER BY id LIMIT ?2")
        try page.bind(number, at: 1)
        try page.bind(Int64(max(0, limit)), at: 2)
        if let level { try page.bind(level.rawValue, at: 3) }
        if let source { try page.bind(source, at: 4) }
        return try rows(of: page)
    }

    /// Some of the rows whose end has come, the earliest first.
    func rows(endedAt now: UnixTime, atMost limit: Int) throws(SQLiteError) -> [RevocationRow] {
        try ended.bind(now.nanoseconds, at: 1)
        try ended.bind(Int64(max(0, limit)), at: 2)
        let rows = try rows(of: ended)
        // Nothing is dropped too early because an index says so.
        guard rows.allSatisfy({ $0.revocation.expiresAt <= now }) else { throw Self.misfit }
        return rows
    }

    /// When the next row ends.
    func nextExpiry() throws(SQLiteError) -> UnixTime? {
        defer { soonest.reset() }
        return try soonest.step() ? UnixTime(nanoseconds: soonest.number(0)) : nil
    }

    private func rows(of statement: SQLiteStatement) throws(SQLiteError) -> [RevocationRow] {
        defer { statement.reset() }
        var rows: [RevocationRow] = []
        while try statement.step() { rows.append(try RevocationRow(at: statement)) }
        return rows
    }

    func write(_ totals: StoreTotals) throws(SQLiteError) {
        try totals.write(with: totalling)
    }

    // MARK: All of them

    /// How many keys are gathered before they go into a set.
    private static let batch = 1 << 20

    /// Reads everything, checks it against `totals`, and makes the set of what has not ended.
    func load(_ totals: StoreTotals, now: UnixTime) throws(SQLiteError) -> RevocationSet {
        var set = RevocationSet()
        set.reserveCapacity(totals.entries)
        var keys: [RevocationKey] = []
        let all = try database.prepare("SELECT \(RevocationRow.columns) FROM entries")
        var (entries, sum, places) = (0, 0 as UInt64, 0 as UInt64)
        while try all.step() {
            guard let row = RevocationRow.essence(of: all) else { throw RevocationRow.damage(all.number(0)) }
            if row.expires > now.nanoseconds {
                keys.append(row.key)
                if row.hasMore { Self.appendMore(all, to: &keys) }
            }
            entries += 1
            sum &+= row.checksum
            places &+= Self.place(of: row.key, row.number)
            guard keys.count >= Self.batch else { continue }
            set.insert(contentsOf: keys)
            keys.removeAll(keepingCapacity: true)
        }
        set.insert(contentsOf: keys)
        guard entries == totals.entries, sum == totals.sum else { throw Self.loss("entries are missing") }
        try checkIndexes(entries: entries, places: places)
        return set
    }

    /// The other keys of a task whose name has several readings.
    private static func appendMore(_ row: SQLiteStatement, to keys: inout [RevocationKey]) {
        row.withBytes(2) { bytes in
            for offset in stride(from: 0, to: bytes.count, by: RevocationKey.byteCount) {
                keys.append(RevocationKey(bytes, at: offset))
            }
        }
    }

    /// How many rows there are of each source.
    func countBySource() throws(SQLiteError) -> [String: Int] {
        let groups = try database.prepare(
            "SELECT source, count(*) FROM entries INDEXED BY entries_by_source GROUP BY source")
        var counts: [String: Int] = [:]
        while try groups.step() {
            guard let source = groups.text(0) else { throw Self.loss("a source cannot be read") }
            counts[source] = Int(groups.number(1))
        }
        return counts
    }

    /// Walks every index: what decides whether a key is still held must be as whole as the rows.
    private func checkIndexes(entries: Int, places: UInt64) throws(SQLiteError) {
        let index = try database.prepare("SELECT key, id FROM entries INDEXED BY entries_by_key")
        var (count, sum) = (0, 0 as UInt64)
        while try index.step() {
            let isKey = index.withBytes(0) { $0.count == RevocationKey.byteCount }
            guard isKey else { throw Self.misfit }
            sum &+= Self.place(of: index.withBytes(0) { RevocationKey($0, at: 0) }, index.number(1))
            count += 1
        }
        let ends = try database.number(
            "SELECT count(*) FROM entries INDEXED BY entries_by_expiry WHERE expires >= -9223372036854775807")
        let levels = try database.number(
            "SELECT total(n) FROM (SELECT count(*) AS n FROM entries INDEXED BY entries_by_level GROUP BY level)")
        guard count == entries, sum == places, ends == entries, levels == entries else {
            throw Self.misfit
        }
    }

    private static func place(of key: RevocationKey, _ number: Int64) -> UInt64 {
        var checksum = RowChecksum()
        checksum.add(key.high)
        checksum.add(key.low)
        checksum.add(number)
        return checksum.value
    }

    private static var misfit: SQLiteError { loss("an index does not fit the entries") }

    private static func loss(_ message: String) -> SQLiteError { SQLiteError(code: SQLITE_CORRUPT, message: message) }
}
