import Reactor
import Testing
import Upstream

@Suite("The pool of idle connections")
struct IdlePoolTests {
    private func key(_ number: UInt64) -> SlotKey { SlotKey(rawValue: number) }

    @Test("The connection that was used last is used again first")
    func isLastInFirstOut() {
        var pool = IdlePool(limit: 3)
        _ = pool.push(key(1))
        _ = pool.push(key(2))
        #expect(pool.pop() == key(2))
        #expect(pool.pop() == key(1))
        #expect(pool.pop() == nil)
    }

    @Test("Beyond the limit the oldest connection goes")
    func evicts() {
        var pool = IdlePool(limit: 2)
        #expect(pool.push(key(1)) == nil)
        #expect(pool.push(key(2)) == nil)
        #expect(pool.push(key(3)) == key(1))
        #expect(pool.count == 2)
    }

    @Test("A connection that has ended is taken out")
    func forgets() {
        var pool = IdlePool(limit: 3)
        _ = pool.push(key(1))
        _ = pool.push(key(2))
        pool.remove(key(1))
        pool.remove(key(9))
        #expect(pool.removeAll() == [key(2)])
        #expect(pool.count == 0)
    }
}

@Suite("Repeating a request")
struct RetryRuleTests {
    @Test("A request on a reused connection that died unread is repeated once")
    func repeats() {
        #expect(RetryRule.repeats(wasReused: true, answerBegan: false, isRepeatable: true, attempts: 1))
    }

    @Test(
        "It is not repeated where anything could happen twice",
        arguments: [
            (false, false, true, 1), (true, true, true, 1), (true, false, false, 1), (true, false, true, 2),
        ])
    func doesNotRepeat(wasReused: Bool, answerBegan: Bool, isRepeatable: Bool, attempts: Int) {
        #expect(
            !RetryRule.repeats(
                wasReused: wasReused, answerBegan: answerBegan, isRepeatable: isRepeatable, attempts: attempts))
    }
}
