import Bytes
import Testing

@testable import Possession

@Suite("The replay table")
struct ReplayTableTests {
    private static let now = UnixTime(seconds: 1_800_000_000)

    private func table(
        _ capacity: Int, share: Int? = nil, since start: UnixTime = UnixTime(seconds: 1_799_999_000)
    ) -> ReplayTable {
        ReplayTable(capacity: capacity, share: share, key: Array(1...16), refusesBefore: start)
    }

    /// Numbers as digests: as unlike one another as a table's user makes them.
    private func digest(_ number: Int) -> Digest256 {
        var bytes = [UInt8](repeating: 0, count: 32)
        for index in 0..<8 { bytes[index] = UInt8(truncatingIfNeeded: number >> (8 * index)) }
        return Digest256(bytes.span) ?? .zero
    }

    /// Inserts a proof of `owner` that was made at `seconds` after the beginning and lives for a minute.
    private func insert(
        _ table: ReplayTable, _ proof: Int, owner: Int? = nil, made seconds: Int64 = 0, at now: Int64? = nil
    ) -> ReplayOutcome {
        let issuedAt = Self.now + .seconds(seconds)
        return table.insert(
            digest(proof), owner: digest(owner ?? -proof), issuedAt: issuedAt, expiresAt: issuedAt + .seconds(60),
            now: Self.now + .seconds(now ?? seconds))
    }

    @Test("D12: A proof is new once, and again when its time is over, exactly")
    func expiry() {
        let table = table(100)
        #expect(insert(table, 1) == .inserted)
        for seconds in Int64(0)...60 { #expect(insert(table, 1, at: seconds) == .replayed) }
        #expect(insert(table, 1, at: 61) == .beyondMemory)
        // The same identifier in a proof made later: an old acquaintance while the first lives, and new after.
        #expect(insert(table, 1, made: 60) == .replayed)
        #expect(insert(table, 1, made: 61) == .inserted)
        #expect(insert(table, 1, made: 61) == .replayed)
        #expect(table.count == 1)
    }

    @Test("D12: Another proof, or another key's, is another")
    func distinct() {
        let table = table(100)
        #expect(insert(table, 1, owner: 1) == .inserted)
        #expect(insert(table, 2, owner: 1) == .inserted)
        #expect(insert(table, 2, owner: 2) == .replayed)
        #expect(table.count == 2)
    }

    @Test("D12: A full table refuses what is new, forgets nothing that lives, and has room when it expires")
    func full() {
        let table = table(64, share: 64)
        for proof in 0..<64 { #expect(insert(table, proof, made: Int64(proof % 2)) == .inserted) }
        #expect(insert(table, 64, made: 1) == .full)
        for proof in 0..<64 { #expect(insert(table, proof, made: Int64(proof % 2), at: 60) == .replayed) }
        #expect(insert(table, 64, made: 60) == .full)
        // Half of them expired a moment ago.
        for proof in 64..<96 { #expect(insert(table, proof, made: 61) == .inserted) }
        #expect(insert(table, 96, made: 61) == .full)
        for proof in stride(from: 1, to: 64, by: 2) { #expect(insert(table, proof, made: 1, at: 61) == .replayed) }
    }

    @Test("D12: A key has its share and no more, whoever else has room")
    func share() {
        let table = table(1600)
        for proof in 0..<100 { #expect(insert(table, proof, owner: -1) == .inserted) }
        #expect(insert(table, 100, owner: -1) == .overShare)
        #expect(insert(table, 0, owner: -1) == .replayed)
        #expect(insert(table, 100, owner: -2) == .inserted)
        #expect(insert(table, 101, owner: -1, made: 60) == .overShare)
        #expect(insert(table, 101, owner: -1, made: 61) == .inserted)
        // A sixteenth of a small table would be next to nothing.
        let small = self.table(10)
        for proof in 0..<10 { #expect(insert(small, proof, owner: -1) == .inserted) }
        #expect(insert(small, 10, owner: -2) == .full)
        let generous = self.table(160, share: 11)
        for proof in 0..<11 { #expect(insert(generous, proof, owner: -1) == .inserted) }
        #expect(insert(generous, 11, owner: -1) == .overShare)
    }

    @Test("D12: What was made before the start is refused, even if nobody has seen it")
    func restart() {
        let table = table(10, since: Self.now)
        #expect(insert(table, 1, made: -1, at: 0) == .beyondMemory)
        #expect(insert(table, 1, made: 0, at: 0) == .inserted)
        #expect(table.count == 1)
    }

    @Test("D12: A clock that is set back does not make an old proof new")
    func clock() {
        let table = table(4, share: 4)
        for proof in 0..<4 { #expect(insert(table, proof) == .inserted) }
        for proof in 4..<8 { #expect(insert(table, proof, made: 61) == .inserted) }
        for proof in 0..<4 { #expect(insert(table, proof, at: 30) == .beyondMemory) }
        // Where nothing was forgotten, the same moment is no trouble.
        let other = self.table(5, share: 5)
        for proof in 0..<4 { #expect(insert(other, proof) == .inserted) }
        #expect(insert(other, 8, made: 0, at: 30) == .inserted)
    }

    @Test("A table of many shards holds its capacity, tells every proof, and stays within 48 bytes a proof")
    func capacity() {
        let capacity = 30_000
        let table = table(capacity, share: capacity)
        var outcomes: [ReplayOutcome] = []
        for proof in 0..<capacity { outcomes.append(insert(table, proof, owner: -proof % 5000)) }
        #expect(outcomes.allSatisfy { $0 == .inserted })
        #expect(table.count == capacity)
        #expect(table.byteCount <= 48 * capacity)
        #expect((0..<capacity).allSatisfy { insert(table, $0, at: 60) == .replayed })
        let next = (capacity..<2 * capacity).map { insert(table, $0, made: 61) }
        #expect(next.allSatisfy { $0 == .inserted })
        #expect(table.byteCount <= 48 * capacity)
    }

    @Test("An empty table takes little memory")
    func idle() {
        #expect(table(1_000_000).byteCount < 3 << 20)
    }

    /// What the table must do, as simply as can be.
    private struct Model {
        var expiries: [Int: Int64] = [:]
        let capacity: Int

        mutating func insert(_ proof: Int, made seconds: Int64) -> ReplayOutcome {
            expiries = expiries.filter { $0.value >= seconds }
            if expiries[proof] != nil { return .replayed }
            guard expiries.count < capacity else { return .full }
            expiries[proof] = seconds + 60
            return .inserted
        }
    }

    @Test("A long seeded life goes as the simplest table would have it", arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func model(seed: UInt64) {
        var random = seed &* 0x9E37_79B9_7F4A_7C15
        func next(below bound: Int) -> Int {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int(random % UInt64(bound))
        }
        let capacity = [1, 5, 40, 64, 100, 300, 301, 500][Int(seed) - 1]
        let table = table(capacity, share: capacity)
        var model = Model(capacity: capacity)
        var (seconds, differences) = (Int64(0), 0)
        for _ in 0..<4000 {
            if next(below: capacity) == 0 { seconds += Int64(next(below: 90)) }
            let proof = next(below: capacity * 3)
            if insert(table, proof, made: seconds) != model.insert(proof, made: seconds) { differences += 1 }
        }
        #expect(differences == 0)
    }

    @Test("D12: Of all threads that show one proof at once, exactly one is told that it is new")
    func race() async {
        let table = table(100_000, share: 100_000)
        let proofs = 5000
        let wins = await withTaskGroup(of: [Int].self) { group in
            for thread in 0..<4 {
                group.addTask {
                    // Half of them in the opposite order, so that they meet everywhere.
                    (0..<proofs).map { thread % 2 == 0 ? $0 : proofs - 1 - $0 }.filter {
                        self.insert(table, $0) == .inserted
                    }
                }
            }
            return await group.reduce([], +)
        }
        #expect(wins.sorted() == Array(0..<proofs))
        #expect(table.count == proofs)
    }
}
