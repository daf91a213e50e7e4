import Cryptography
import Identity
import Testing

@testable import Revocation

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
}

@Suite("A revocation set")
struct RevocationSetTests {
    @Test("A key is in it from when it is inserted until it is removed, however often either is done")
    func onceOnly() {
        var set = RevocationSet()
        let (key, other) = (RevocationKey.agent("a"), RevocationKey.chain("a"))
        #expect(set.isEmpty && !set.contains(key))
        set.insert(key)
        set.insert(key)
        #expect(set.count == 1 && set.contains(key) && !set.contains(other))
        set.remove(other)
        #expect(set.count == 1)
        set.remove(key)
        set.remove(key)
        #expect(set.isEmpty && !set.contains(key))
    }

    @Test("The key whose bits are all zero is a key like any other")
    func zero() {
        var set = RevocationSet([RevocationKey(high: 0, low: 1)])
        let zero = RevocationKey(high: 0, low: 0)
        #expect(!set.contains(zero))
        set.insert(zero)
        set.insert(zero)
        #expect(set.contains(zero) && set.count == 2)
        set.remove(zero)
        set.remove(zero)
        #expect(!set.contains(zero) && set.count == 1)
    }

    @Test("A copy does not see what happens to the original")
    func isValue() {
        var set = RevocationSet((0..<1000).map { RevocationKey(high: $0, low: $0) })
        let before = set
        set.remove(RevocationKey(high: 7, low: 7))
        set.insert(RevocationKey(high: 1000, low: 1000))
        #expect(before.contains(RevocationKey(high: 7, low: 7)) && !set.contains(RevocationKey(high: 7, low: 7)))
        #expect(!before.contains(RevocationKey(high: 1000, low: 1000)))
        #expect(before.count == 1000 && set.count == 1000)
    }

    @Test("It holds what Swift's own set holds, whatever is done", arguments: 0..<4 as Range<UInt64>)
    func model(seed: UInt64) {
        var generator = SeededGenerator(seed: seed + 1)
        var set = RevocationSet(spread: generator.next())
        var model: Set<RevocationKey> = []
        // Few upper halves, so that the few shards they fall into fill up; few lower ones, so that keys come again.
        let highs = (0..<3).map { _ in generator.next() }
        var pool = (0..<600).map { _ in
            RevocationKey(high: highs[Int.random(in: 0..<3, using: &generator)], low: generator.next())
        }
        // Keys that differ where the table does not look: with an odd factor the lowest product bits decide nothing.
        pool += (0..<100).map { RevocationKey(high: highs[0], low: $0) }
        for step in 0..<20_000 {
            let key = pool[Int.random(in: 0..<pool.count, using: &generator)]
            // The share of insertions comes and goes, so that it grows and shrinks.
            if Int.random(in: 0..<100, using: &generator) < (step / 4000 % 2 == 0 ? 80 : 15) {
                set.insert(key)
                model.insert(key)
            } else {
                set.remove(key)
                model.remove(key)
            }
            guard step % 500 == 0 else { continue }
            #expect(set.count == model.count)
            #expect(pool.allSatisfy { set.contains($0) == model.contains($0) })
        }
        for key in model { set.remove(key) }
        #expect(set.isEmpty && !pool.contains { set.contains($0) })
    }

    @Test("Room that is made beforehand changes nothing of what it holds, nor does adding many at once")
    func reserved() {
        var generator = SeededGenerator(seed: 9)
        let keys = (0..<50_000).map { _ in RevocationKey(high: generator.next(), low: generator.next()) }
        var set = RevocationSet(Array(keys.prefix(10)))
        set.reserveCapacity(keys.count)
        set.insert(contentsOf: keys)
        set.insert(contentsOf: Array(keys.reversed().prefix(100)))
        #expect(set.count == keys.count && keys.allSatisfy { set.contains($0) })
        #expect(!set.contains(RevocationKey(high: 1, low: 1)))
    }
}
