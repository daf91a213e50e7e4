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
