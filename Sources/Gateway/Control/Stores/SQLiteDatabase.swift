import Bytes
import CSQLite

/// The owner of one connection to an SQLite database: one thread's.
///
/// The pointer never leaves this file, is not Sendable and so stays on its thread, and is closed once. Statements retain their
/// database, so none outlives it.
@safe
final class SQLiteDatabase {
    private let pointer: OpaquePointer

    /// Opens a file that is there.
    init(path: String) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let opened = unsafe opened else { throw SQLiteError(code: code, message: "no memory") }
        guard code == SQLITE_OK else {
            let message = unsafe String(cString: sqlite3_errmsg(opened))
            _ = unsafe sqlite3_close_v2(opened)
            throw SQLiteError(code: code, message: message)
        }
        unsafe pointer = opened
    }

    deinit {
        _ = unsafe sqlite3_close_v2(pointer)
    }

    /// Runs statements that have no parameters and whose rows are of no interest.
    func execute(_ sql: String) throws(SQLiteError) {
        try check(unsafe sqlite3_exec(pointer, sql, nil, nil, nil))
    }

    /// Compiles a statement that is kept.
    func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        var compiled: OpaquePointer?
        try check(unsafe sqlite3_prepare_v3(pointer, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &compiled, nil))
        guard let compiled = unsafe compiled else { throw SQLiteError(code: SQLITE_MISUSE, message: "no statement") }
        return unsafe SQLiteStatement(compiled, of: self)
    }

    /// The one number that a statement answers with.
    func number(_ sql: String) throws(SQLiteError) -> Int64 {
        let statement = try prepare(sql)
        guard try statement.step() else { throw SQLiteError(code: SQLITE_MISUSE, message: "no row") }
        return statement.number(0)
    }

    /// Does all of `body`, or nothing; what it did is on the disk when this returns.
    func transaction<R>(_ body: () throws(SQLiteError) -> R) throws(SQLiteError) -> R {
        try execute("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let result = try body()
            try execute("COMMIT")
            return result
        } catch {
            // Some failures have ended the transaction already.
            if unsafe sqlite3_get_autocommit(pointer) == 0 { try? execute("ROLLBACK") }
            throw error
        }
    }

    fileprivate func check(_ code: CInt) throws(SQLiteError) {
        guard code != SQLITE_OK else { return }
        throw SQLiteError(code: code, message: unsafe String(cString: sqlite3_errmsg(pointer)))
    }
}

/// A compiled statement, which is bound, stepped through and bound again.
///
/// What its columns hold is copied, or looked at within one call: the library keeps it only until the next step.
@safe
final class SQLiteStatement {
    private let pointer: OpaquePointer
    private let database: SQLiteDatabase

    @unsafe fileprivate init(_ pointer: OpaquePointer, of database: SQLiteDatabase) {
        unsafe self.pointer = pointer
        self.database = database
    }

    deinit {
        _ = unsafe sqlite3_finalize(pointer)
    }

    /// Goes to the next row; false where there is none, and then the statement may be run again.
    func step() throws(SQLiteError) -> Bool {
        let code = unsafe sqlite3_step(pointer)
        if code == SQLITE_ROW { return true }
        guard code == SQLITE_DONE else {
            defer { reset() }
            try database.check(code)
            return false
        }
        reset()
        return false
    }

    /// Runs it to its end.
    func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Leaves the rows that are left, and forgets what was bound.
    func reset() {
        _ = unsafe sqlite3_reset(pointer)
        _ = unsafe sqlite3_clear_bindings(pointer)
    }

    // MARK: Parameters, from 1

    func bind(_ number: Int64, at index: CInt) throws(SQLiteError) {
        try database.check(unsafe sqlite3_bind_int64(pointer, index, number))
    }

    func bind(_ text: String?, at index: CInt) throws(SQLiteError) {
        guard var text else { return try database.check(unsafe sqlite3_bind_null(pointer, index)) }
        // An empty buffer may have no address, and would be taken for no text.
        guard !text.isEmpty else {
            return try database.check(unsafe sqlite3_bind_text(pointer, index, "", 0, Self.transient))
        }
        let code = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe sqlite3_bind_text(
                    pointer, index, characters.baseAddress, CInt(characters.count), Self.transient)
            }
        }
        try database.check(code)
    }

    func bind(_ bytes: [UInt8], at index: CInt) throws(SQLiteError) {
        guard !bytes.isEmpty else { return try database.check(unsafe sqlite3_bind_zeroblob(pointer, index, 0)) }
        let code = unsafe bytes.withUnsafeBytes {
            unsafe sqlite3_bind_blob(pointer, index, $0.baseAddress, CInt($0.count), Self.transient)
        }
        try database.check(code)
    }

    /// Tells the library to copy what is bound before the call returns.
    private static var transient: sqlite3_destructor_type {
        unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }

    // MARK: Columns, from 0

    func number(_ column: CInt) -> Int64 { unsafe sqlite3_column_int64(pointer, column) }

    func isNull(_ column: CInt) -> Bool { unsafe sqlite3_column_type(pointer, column) == SQLITE_NULL }

    /// The text; nothing where there is none, or where it is no UTF-8.
    func text(_ column: CInt) -> String? {
        isNull(column) ? nil : withBytes(column) { String(validating: $0) }
    }

    func bytes(_ column: CInt) -> [UInt8] { withBytes(column) { Array(copying: $0) } }

    /// Looks at a text or a blob where the library keeps it.
    func withBytes<R>(_ column: CInt, _ body: (Span<UInt8>) -> R) -> R {
        // In this order: asking for the address may change the length (sqlite3_column_bytes).
        let address = unsafe sqlite3_column_blob(pointer, column)
        let count = Int(unsafe sqlite3_column_bytes(pointer, column))
        let buffer = unsafe UnsafeRawBufferPointer(start: address, count: address == nil ? 0 : count)
        return body(unsafe buffer.bindMemory(to: UInt8.self).span)
    }
}
