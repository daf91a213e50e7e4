import CSQLite

/// What SQLite says went wrong.
struct SQLiteError: Error, Equatable, Sendable {
    /// The extended result code.
    let code: CInt
    /// SQLite's own words.
    let message: String

    /// The code without what extends it.
    private var primary: CInt { code & 0xff }

    /// Whether the file is not what was written.
    ///
    /// Our statements are always the same, so that one which makes no sense, or breaks a rule of the tables, means that the tables
    /// are not ours any more.
    var isDamage: Bool {
        [SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_ERROR, SQLITE_CONSTRAINT, SQLITE_MISMATCH].contains(
            primary)
    }

    /// Whether another process has the file.
    var isBusy: Bool { primary == SQLITE_BUSY || primary == SQLITE_LOCKED }
}
