import Bytes
import CSQLite

/// The way from two paths to an open store: what is there must fit together.
struct StoreOpening {
    let path: String
    let markPath: String

    /// Tells our files from all other databases: "SaP1".
    private static let application: Int64 = 0x5361_5031
    private static let version: Int64 = 1

    /// Opens the store that is there, or makes the first one.
    func open(now: UnixTime) throws(RevocationStoreError) -> RevocationStore {
        let mark = try readMark()
        try prepareFile(mark)
        let lock = try takeLock()
        let database: SQLiteDatabase
        let isNew: Bool
        let totals: StoreTotals
        let table: RevocationTable
        do throws(SQLiteError) {
            database = try SQLiteDatabase(path: path)
            isNew = try Self.isEmpty(database)
        } catch { throw failure(error) }
        guard !isNew || mark == nil else { throw failure(.damaged, "it is empty") }
        if !isNew { try checkKind(of: database) }
        do throws(SQLiteError) {
            try Self.settle(database)
            if isNew { try Self.fill(database, now: now) }
            totals = try StoreTotals(of: database)
            table = try RevocationTable(database)
        } catch { throw failure(error) }
        try check(totals, against: mark)
        return RevocationStore(path: path, markPath: markPath, lock: lock, table: table, totals: totals)
    }

    private func takeLock() throws(RevocationStoreError) -> StoreLock {
        let lock: StoreLock?
        do throws(StoreFiles.Failure) { lock = try StoreLock(of: path) } catch {
            throw failure(.failed, "\(path).lock cannot be made: error \(error.code)")
        }
        guard let lock else { throw failure(.busy) }
        return lock
    }

    // MARK: Files

    private func readMark() throws(RevocationStoreError) -> RevocationMark? {
        do throws(StoreFiles.Failure) { return try RevocationMark.read(markPath) } catch {
            throw failure(.markDamaged, error.code == 0 ? "" : "error \(error.code)")
        }
    }

    /// Makes the file where there never was one; an empty one was left behind before anything was written.
    private func prepareFile(_ mark: RevocationMark?) throws(RevocationStoreError) {
        let isMissing: Bool
        do throws(StoreFiles.Failure) {
            let length = try StoreFiles.length(of: path)
            isMissing = length ?? 0 == 0
            if length == nil, mark == nil { try StoreFiles.create(path) }
            if length != nil { try StoreFiles.keepPrivate(path) }
        } catch { throw failure(.failed, "error \(error.code)") }
        guard !isMissing || mark == nil else { throw failure(.missing) }
    }

    /// Compares the store with the mark, or makes the mark where there is none.
    private func check(_ totals: StoreTotals, against mark: RevocationMark?) throws(RevocationStoreError) {
        guard let mark else {
            do throws(StoreFiles.Failure) {
                try RevocationMark(store: totals.store, generation: totals.generation).create(at: markPath)
            } catch { throw failure(.failed, "\(markPath) cannot be written: error \(error.code)") }
            return
        }
        guard mark.store == totals.store else { throw failure(.other) }
        guard mark.generation <= totals.generation else { throw failure(.older) }
    }

    // MARK: The database

    private static func isEmpty(_ database: SQLiteDatabase) throws(SQLiteError) -> Bool {
        guard try database.number("PRAGMA application_id") == 0 else { return false }
        return try database.number("SELECT count(*) FROM sqlite_schema") == 0
    }

    /// Looks at what the file says it is before anything of it is changed.
    private func checkKind(of database: SQLiteDatabase) throws(RevocationStoreError) {
        let (application, version): (Int64, Int64)
        do throws(SQLiteError) {
            application = try database.number("PRAGMA application_id")
            version = try database.number("PRAGMA user_version")
        } catch { throw failure(error) }
        guard application == Self.application else { throw failure(.foreign) }
        guard version <= Self.version else { throw failure(.laterVersion) }
        guard version == Self.version else { throw failure(.damaged, "it has no version") }
    }

    /// What is said to the library each time: commits go to the disk, and who reads at the same time waits for nobody.
    ///
    /// Should somebody else write all the same, we wait a little: what cannot be written then is refused.
    private static func settle(_ database: SQLiteDatabase) throws(SQLiteError) {
        let mode = try database.prepare("PRAGMA journal_mode = WAL")
        guard try mode.step(), mode.text(0) == "wal" else {
            throw SQLiteError(code: SQLITE_IOERR, message: "the file system takes no write-ahead log")
        }
        mode.reset()
        try database.execute(
            """
            PRAGMA busy_timeout = 250; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
            PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA journal_size_limit = 67108864;
            """)
    }

    /// Makes the tables, all at once.
    private static func fill(_ database: SQLiteDatabase, now: UnixTime) throws(SQLiteError) {
        var store = ""
        for _ in 0..<2 {
            let digits = String(UInt64.random(in: .min ... .max), radix: 16)
            store += String(repeating: "0", count: 16 - digits.count) + digits
        }
        let totals = StoreTotals(store: store)
        try database.transaction { () throws(SQLiteError) in
            try database.execute(
                "\(RevocationRow.schema)\(StoreTotals.schema)"
                    + "PRAGMA application_id = \(application); PRAGMA user_version = \(version);")
            try totals.create(in: database, created: now.nanoseconds)
        }
        try database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    // MARK: Failures

    private func failure(_ kind: RevocationStoreError.Kind, _ detail: String = "") -> RevocationStoreError {
        RevocationStoreError(kind: kind, path: path, markPath: markPath, detail: detail)
    }

    private func failure(_ error: SQLiteError) -> RevocationStoreError {
        RevocationStoreError(error, path: path, markPath: markPath)
    }
}
