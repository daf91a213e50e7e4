import CSQLite
import Revocation

/// What all rows of a store make together: the store changes with them in one transaction.
///
/// It shows where rows are gone though every one that is left reads well.
struct StoreTotals: Equatable, Sendable {
    /// The store's own random name.
    let store: String
    /// The number of changes.
    var generation: UInt64 = 0
    /// The number of the next row: none is given twice.
    private(set) var next: Int64 = 1
    /// How many rows there are.
    private(set) var entries = 0
    /// The sum of their checksums.
    private(set) var sum: UInt64 = 0
    /// How many rows there are of each source; it is counted, not kept.
    var bySource: [String: Int] = [:]

    /// The totals of a new store.
    init(store: String) {
        self.store = store
    }

    static let schema = """
        CREATE TABLE totals (
            only INTEGER PRIMARY KEY CHECK (only = 1), store TEXT NOT NULL, created INTEGER NOT NULL,
            generation INTEGER NOT NULL, next INTEGER NOT NULL, entries INTEGER NOT NULL, sum INTEGER NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT;
        """

    /// Reads what was written last.
    init(of database: SQLiteDatabase) throws(SQLiteError) {
        let row = try database.prepare(
            "SELECT store, generation, next, entries, sum, checksum FROM totals WHERE only = 1")
        guard try row.step(), let store = row.text(0) else {
            throw SQLiteError(code: SQLITE_CORRUPT, message: "the totals are missing")
        }
        self.store = store
        generation = UInt64(bitPattern: row.number(1))
        next = row.number(2)
        entries = Int(row.number(3))
        sum = UInt64(bitPattern: row.number(4))
        guard UInt64(bitPattern: row.number(5)) == checksum else {
            throw SQLiteError(code: SQLITE_CORRUPT, message: "the totals do not read back as they were written")
        }
        row.reset()
    }

    private var checksum: UInt64 {
        var checksum = RowChecksum()
        checksum.add(store)
        checksum.add(generation)
        checksum.add(next)
        checksum.add(Int64(entries))
        checksum.add(sum)
        return checksum.value
    }

    /// Writes them where there are none.
    func create(in database: SQLiteDatabase, created: Int64) throws(SQLiteError) {
        let row = try database.prepare(
            "INSERT INTO totals (only, store, created, generation, next, entries, sum, checksum) "
                + "VALUES (1, ?6, ?7, ?1, ?2, ?3, ?4, ?5)")
        try row.bind(store, at: 6)
        try row.bind(created, at: 7)
        try write(with: row)
    }

    static let update =
        "UPDATE totals SET generation = ?1, next = ?2, entries = ?3, sum = ?4, checksum = ?5 WHERE only = 1"

    /// Writes them with ``update``.
    func write(with row: SQLiteStatement) throws(SQLiteError) {
        try row.bind(Int64(bitPattern: generation), at: 1)
        try row.bind(next, at: 2)
        try row.bind(Int64(entries), at: 3)
        try row.bind(Int64(bitPattern: sum), at: 4)
        try row.bind(Int64(bitPattern: checksum), at: 5)
        try row.run()
    }

    /// Takes the number of a new row.
    mutating func takeNumber() -> Int64 {
        defer { next += 1 }
        return next
    }

    /// Counts a row that was added.
    mutating func add(_ row: RevocationRow) {
        entries += 1
        sum &+= row.checksum
        bySource[row.revocation.source, default: 0] += 1
    }

    /// Counts a row that was taken away.
    mutating func remove(_ row: RevocationRow) {
        entries -= 1
        sum &-= row.checksum
        let left = (bySource[row.revocation.source] ?? 1) - 1
        bySource[row.revocation.source] = left > 0 ? left : nil
    }
}
