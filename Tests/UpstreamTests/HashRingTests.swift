import Testing

@testable import Upstream

@Suite("HashRing")
struct HashRingTests {
    @Test("An empty ring has nothing")
    func empty() {
        #expect(HashRing().first(from: 1) { _ in true } == nil)
    }

    @Test("A place beyond the last is followed by the first", arguments: [0, 1, UInt64.max / 2, .max - 1, .max])
    func wraps(_ hash: UInt64) {
        let ring = HashRing([(slot: 3, name: "a")])
        #expect(ring.first(from: hash) { _ in true } == 3)
        #expect(ring.first(from: hash) { _ in false } == nil)
    }

    @Test("What is not wanted is passed over")
    func passesOver() {
        let ring = HashRing([(slot: 0, name: "a"), (slot: 1, name: "b"), (slot: 2, name: "c")])
        var numbers = SeededNumbers(seed: 8)
        for _ in 0..<100 {
            let hash = numbers.next()
            let first = ring.first(from: hash) { _ in true }
            let second = ring.first(from: hash) { $0 != first }
            #expect(first != nil && second != nil && first != second)
        }
    }

    @Test("Places follow from names, not from slots: all workers and gateways agree")
    func stable() {
        let one = HashRing([(slot: 0, name: "a"), (slot: 1, name: "b")])
        let other = HashRing([(slot: 7, name: "b"), (slot: 4, name: "a")])
        var numbers = SeededNumbers(seed: 9)
        for _ in 0..<200 {
            let hash = numbers.next()
            #expect((one.first(from: hash) { _ in true } == 0) == (other.first(from: hash) { _ in true } == 4))
        }
    }

    @Test(
        "The place of an agent is the same in every version",
        arguments: [
            ("", UInt64(0xF52A_15E9_A9B5_E89B)), ("spiffe://example.test/agent/1", 0x2371_6464_1091_A1B5),
        ])
    func agentHash(_ name: String, _ hash: UInt64) {
        #expect(AgentHash.of(name.utf8Span.span) == hash)
    }
}
