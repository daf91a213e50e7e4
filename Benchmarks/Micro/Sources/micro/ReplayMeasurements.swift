import Bytes
import Possession

/// Random numbers from a seed, so that every run does the same.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }

    mutating func digest() -> Digest256 {
        var bytes: [32 of UInt8] = .init(repeating: 0)
        for word in 0..<4 {
            let value = next()
            for index in 0..<8 { bytes[word * 8 + index] = UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) }
        }
        return Digest256(bytes.span) ?? .zero
    }
}

/// The replay table of a million proofs by five thousand keys.
final class ReplayMeasurements {
    private static let capacity = 1_000_000
    private static let batch = 20_000
    private static let life = Interval.seconds(60)
    private let proofs: [Digest256]
    private let owners: [Digest256]

    init() {
        var generator = SeededGenerator(seed: 7)
        proofs = (0..<Self.capacity * 2).map { _ in generator.digest() }
        owners = (0..<5000).map { _ in generator.digest() }
    }

    var all: [Measurement] {
        [filling(0.10), filling(0.90), steady(0.10), steady(0.90)]
    }

    /// New proofs into a table that is filled so far and of which nothing has expired.
    private func filling(_ part: Double) -> Measurement {
        let held = Int(Double(Self.capacity) * part)
        return Measurement(name: "replay, new proof, \(Int(part * 100)) % full", baseline: Memory.name) { [self] in
            let table = table()
            for index in 0..<held - Self.batch / 2 { try insert(index, into: table, at: Credentials.now) }
            let start = ThreadTime.now
            for index in held - Self.batch / 2..<held + Self.batch / 2 {
                try insert(index, into: table, at: Credentials.now)
            }
            return Double(ThreadTime.now - start) / Double(Self.batch)
        }
    }

    /// New proofs at an even pace, so many that so much of the table lives at any moment, and the sweeps that this costs.
    private func steady(_ part: Double) -> Measurement {
        let pace = Self.life.nanoseconds / Int64(Double(Self.capacity) * part)
        let table = table()
        var (index, now) = (0, Credentials.now)
        let settle = { [self] (count: Int) in
            for _ in 0..<count {
                try insert(index % proofs.count, into: table, at: now)
                index += 1
                now = now + Interval(nanoseconds: pace)
            }
        }
        var isSettled = false
        return Measurement(name: "replay, new proof, steady \(Int(part * 100)) %", baseline: Memory.name) {
            if !isSettled { try settle(Int(Double(Self.capacity) * part) * 2) }
            isSettled = true
            let start = ThreadTime.now
            try settle(Self.batch * 5)
            return Double(ThreadTime.now - start) / Double(Self.batch * 5)
        }
    }

    private func table() -> ReplayTable {
        ReplayTable(capacity: Self.capacity, key: Array(1...16), refusesBefore: Credentials.now)
    }

    private func insert(_ index: Int, into table: ReplayTable, at now: UnixTime) throws {
        let outcome = table.insert(
            proofs[index], owner: owners[index % owners.count], issuedAt: now, expiresAt: now + Self.life, now: now)
        precondition(outcome == .inserted, "a new proof is refused")
    }
}

/// Loads from memory, each of a place that the one before it names: what a cache miss costs here and now.
final class Memory {
    static let name = "memory, one load"
    private var links: [UInt32]
    private var place = 0

    /// One cycle through 64 MiB, in random order (Sattolo 1986).
    init() {
        links = (0..<UInt32(16 << 20)).map { $0 }
        var generator = SeededGenerator(seed: 3)
        for index in stride(from: links.count - 1, to: 0, by: -1) {
            links.swapAt(index, Int(generator.next() % UInt64(index)))
        }
    }

    var measurement: Measurement {
        .repeated(Self.name, times: 100_000) { [self] _ in place = Int(links[place]) }
    }
}
