import Bytes
import CSQLite
import Identity
import Revocation

/// One row of the table of revocations.
///
/// The keys stand in the row, so that nothing is hashed when millions of them are read: the first, by which rows are found, and
/// the others of a task with several readings.
struct RevocationRow: Equatable, Sendable {
    let number: Int64
    let revocation: Revocation
    let key: [UInt8]
    let more: [UInt8]

    static let schema = """
        CREATE TABLE entries (
            id INTEGER PRIMARY KEY, key BLOB NOT NULL, more BLOB NOT NULL, level TEXT NOT NULL, value TEXT NOT NULL,
            issuer TEXT, reason TEXT, source TEXT NOT NULL, by TEXT, created INTEGER NOT NULL, expires INTEGER NOT NULL,
            checksum INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX entries_by_key ON entries (key, source);
        CREATE INDEX entries_by_expiry ON entries (expires);
        CREATE INDEX entries_by_level ON entries (level);
        CREATE INDEX entries_by_source ON entries (source);
        """
    static let columns = "id, key, more, level, value, issuer, reason, source, by, created, expires, checksum"

    /// Makes a row.
    init(number: Int64, revocation: Revocation) {
        self.number = number
        self.revocation = revocation
        let keys = revocation.keys.map(\.bytes)
        key = keys.first ?? []
        more = Array(keys.dropFirst().joined())
    }

    /// Reads the row that `row` stands at, with ``columns``.
    init(at row: SQLiteStatement) throws(SQLiteError) {
        number = row.number(0)
        key = row.bytes(1)
        more = row.bytes(2)
        guard Self.essence(of: row) != nil, let level = row.text(3).flatMap(RevocationLevel.init),
            let value = row.text(4),
            let source = row.text(7)
        else { throw Self.damage(number) }
        do throws(RevocationFault) {
            revocation = try Revocation(
                level: level, value: value, issuer: row.text(5), reason: row.text(6), source: source, by: row.text(8),
                createdAt: UnixTime(nanoseconds: row.number(9)), expiresAt: UnixTime(nanoseconds: row.number(10)))
        } catch { throw Self.damage(number) }
    }

    /// The row as it is kept for outsiders.
    var stored: StoredRevocation { StoredRevocation(number: number, revocation: revocation) }

    /// All keys.
    var keys: [RevocationKey] { Self.keys(of: key.span) + Self.keys(of: more.span) }

    /// The same row with a later end.
    func lasting(until expiresAt: UnixTime) throws(SQLiteError) -> RevocationRow {
        do throws(RevocationFault) {
            let longer = try Revocation(
                level: revocation.level, value: revocation.value, issuer: revocation.issuer, reason: revocation.reason,
                source: revocation.source, by: revocation.by, createdAt: revocation.createdAt, expiresAt: expiresAt)
            return RevocationRow(number: number, revocation: longer)
        } catch { throw Self.damage(number) }
    }

    /// Binds everything, as ``columns`` names it.
    func bind(to statement: SQLiteStatement) throws(SQLiteError) {
        try statement.bind(number, at: 1)
        try statement.bind(key, at: 2)
        try statement.bind(more, at: 3)
        try statement.bind(revocation.level.rawValue, at: 4)
        try statement.bind(revocation.value, at: 5)
        try statement.bind(revocation.issuer, at: 6)
        try statement.bind(revocation.reason, at: 7)
        try statement.bind(revocation.source, at: 8)
        try statement.bind(revocation.by, at: 9)
        try statement.bind(revocation.createdAt.nanoseconds, at: 10)
        try statement.bind(revocation.expiresAt.nanoseconds, at: 11)
        try statement.bind(Int64(bitPattern: checksum), at: 12)
    }

    // MARK: The checksum

    /// The checksum of what is to be written.
    var checksum: UInt64 {
        var checksum = RowChecksum()
        checksum.add(number)
        checksum.add(key.span)
        checksum.add(more.span)
        checksum.add(revocation.level.rawValue)
        checksum.add(revocation.value)
        checksum.add(revocation.issuer)
        checksum.add(revocation.reason)
        checksum.add(revocation.source)
        checksum.add(revocation.by)
        checksum.add(revocation.createdAt.nanoseconds)
        checksum.add(revocation.expiresAt.nanoseconds)
        return checksum.value
    }

    /// What is needed of a row to enforce it: no text is made of the others.
    struct Essence {
        let number: Int64
        let key: RevocationKey
        let hasMore: Bool
        let expires: Int64
        let checksum: UInt64
    }

    /// Reads what is needed of the row that `row` stands at, and checks all of it; nothing where it is not as it was written.
    static func essence(of row: SQLiteStatement) -> Essence? {
        var sum = RowChecksum()
        let number = row.number(0)
        sum.add(number)
        let key = row.withBytes(1) { bytes in
            sum.add(bytes)
            return bytes.count == RevocationKey.byteCount ? RevocationKey(bytes, at: 0) : nil
        }
        let hasMore = row.withBytes(2) { bytes in
            sum.add(bytes)
            return !bytes.isEmpty
        }
        for column in 3...8 as ClosedRange<CInt> {
            let isEmpty = row.withBytes(column) { bytes in
                if !bytes.isEmpty { sum.add(bytes) }
                return bytes.isEmpty
            }
            // Nothing is not the same as a text without characters, but only then it matters which one it is.
            if isEmpty { sum.add(row.isNull(column) ? 0 : 1 as UInt64) }
        }
        let (expires, checksum) = (row.number(10), UInt64(bitPattern: row.number(11)))
        sum.add(row.number(9))
        sum.add(expires)
        guard let key, sum.value == checksum else { return nil }
        return Essence(number: number, key: key, hasMore: hasMore, expires: expires, checksum: checksum)
    }

    /// What is said of a row that does not.
    static func damage(_ number: Int64) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, message: "entry \(number) does not read back as it was written")
    }

    // MARK: Keys in bytes

    private static func keys(of bytes: Span<UInt8>) -> [RevocationKey] {
        (0..<bytes.count / RevocationKey.byteCount).map { RevocationKey(bytes, at: $0 * RevocationKey.byteCount) }
    }
}

extension RevocationKey {
    /// The length of a key in the store.
    static let byteCount = 16

    /// The key as it stands in the store, most significant byte first.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for word in [high, low] {
            for shift in stride(from: 56 as UInt64, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> shift))
            }
        }
        return bytes
    }

    /// Reads the key that stands there.
    init(_ bytes: Span<UInt8>, at offset: Int) {
        var words: (UInt64, UInt64) = (0, 0)
        for index in 0..<8 {
            words.0 = words.0 << 8 | UInt64(bytes[offset + index])
            words.1 = words.1 << 8 | UInt64(bytes[offset + 8 + index])
        }
        self.init(high: words.0, low: words.1)
    }
}
