import Bytes
import Control
import Glibc
import Identity
import Revocation

/// Fills a store of revocations, and reads it as a gateway does that starts: `micro store DIRECTORY COUNT` fills,
/// `micro store DIRECTORY` reads.
struct StoreTrial {
    private static let batch = 500_000
    private let directory: String

    init(directory: String) {
        self.directory = directory
    }

    private func open() throws -> RevocationStore {
        try RevocationStore.open(
            path: directory + "/revocations.db", markPath: directory + "/revocations.mark", now: Credentials.now)
    }

    /// Revokes so many tokens.
    func fill(_ count: Int) throws {
        let store = try open()
        _ = try store.load(now: Credentials.now)
        let start = Self.wallClock
        for first in stride(from: 0, to: count, by: Self.batch) {
            let batch = try (first..<min(count, first + Self.batch)).map { index in
                try Revocation(
                    level: .token, value: "0f8fad5b-d9cb-469f-a165-\(index)", issuer: "https://broker.example.test",
                    reason: "key compromise", source: "admin", by: "unix:uid=0,pid=1", createdAt: Credentials.now,
                    expiresAt: Credentials.now + .seconds(Int64(3600 + index % 3600)))
            }
            // In the order of the index that is filled most at random.
            let sorted = batch.map { (key: $0.keys[0], revocation: $0) }.sorted {
                ($0.key.high, $0.key.low) < ($1.key.high, $1.key.low)
            }
            _ = try store.insert(sorted.map(\.revocation))
        }
        print("\(store.count) revocations kept in \(Self.wallClock - start) ms")
        let one = try Revocation(
            level: .agent, value: "spiffe://example.test/agent/a", source: "admin", createdAt: Credentials.now,
            expiresAt: Credentials.now + .seconds(3600))
        let single = Self.wallClock
        for _ in 0..<20 {
            let stored = try store.insert([one])
            _ = try store.remove(id: stored[0].id)
        }
        print("one more, on the disk: \(Double(Self.wallClock - single) / 40) ms")
        store.close()
    }

    /// Reads the store.
    func load() throws {
        let before = Self.residentBytes
        let start = Self.wallClock
        let (cpu, store) = (ThreadTime.now, try open())
        let set = try store.load(now: Credentials.now)
        print(
            "\(set.count) keys read and checked in \(Self.wallClock - start) ms (\((ThreadTime.now - cpu) / 1_000_000) ms of CPU)"
        )
        print("memory: \((Self.residentBytes - before) >> 20) MiB")
        precondition(set.count == store.count, "keys are missing")
    }

    /// Milliseconds.
    private static var wallClock: Int64 {
        var time = timespec()
        guard unsafe clock_gettime(CLOCK_MONOTONIC, &time) == 0 else {
            preconditionFailure("the kernel has no such clock")
        }
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// What the process has in memory (proc(5), statm: the second number, in pages).
    private static var residentBytes: Int {
        let descriptor = unsafe Glibc.open("/proc/self/statm", O_RDONLY)
        defer { _ = close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
        let numbers = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self).split(separator: " ")
        return (numbers.count > 1 ? Int(numbers[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE)))
    }
}
