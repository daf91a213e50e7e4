import Bytes
import Foundation
import Identity
import Revocation

@testable import Control

/// A directory with a store and its mark, which goes with the test.
final class TrialStore {
    let directory: String
    var path: String { directory + "/state/revocations.db" }
    var markPath: String { directory + "/revocations.mark" }

    static let start = UnixTime(seconds: 1_800_000_000)

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/sallyport-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Opens the store, and makes it the first time.
    func open() throws -> RevocationStore {
        try RevocationStore.open(path: path, markPath: markPath, now: Self.start)
    }

    /// What opening and reading it fails with; nothing where both succeed.
    func failure() -> RevocationStoreError? {
        do throws(RevocationStoreError) {
            let store = try RevocationStore.open(path: path, markPath: markPath, now: Self.start)
            _ = try store.load(now: Self.start)
            return nil
        } catch {
            return error
        }
    }

    /// Fills a new store, closes it, and returns what was kept.
    func fill(_ count: Int) throws -> [StoredRevocation] {
        let store = try open()
        _ = try store.load(now: Self.start)
        defer { store.close() }
        return try store.insert((0..<count).map { try Self.revocation(.agent, "agent-\($0)") })
    }

    /// A revocation that lasts so many seconds.
    static func revocation(
        _ level: RevocationLevel, _ value: String, issuer: String? = nil, source: String = "admin", lasts: Int64 = 60
    ) throws -> Revocation {
        try Revocation(
            level: level, value: value, issuer: issuer, reason: "a test", source: source, by: "unix:uid=0",
            createdAt: start, expiresAt: start + .seconds(lasts))
    }

    /// Does to the closed database what only another program would.
    func edit(_ sql: String) throws {
        try SQLiteDatabase(path: path).execute(sql)
    }

    // MARK: Files

    func contents(_ path: String) throws -> Data { try Data(contentsOf: URL(filePath: path)) }

    func write(_ data: Data, to path: String) throws { try data.write(to: URL(filePath: path)) }

    func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

    /// A directory with the same files at this moment, as after the end of the process without warning.
    func copy() throws -> TrialStore {
        let other = try TrialStore()
        try FileManager.default.removeItem(atPath: other.directory)
        try FileManager.default.copyItem(atPath: directory, toPath: other.directory)
        return other
    }
}
