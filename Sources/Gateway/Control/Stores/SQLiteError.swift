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
    var isDamage: Bool { primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB || primary == SQLITE_FORMAT }

    /// Whether another process has the file.
    var isBusy: Bool { primary == SQLITE_BUSY || primary == SQLITE_LOCKED }
}
