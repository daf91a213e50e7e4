import Reactor
import Testing

@testable import Server

@Suite("The order in which connections came")
struct ArrivalQueueTests {
    private func key(_ number: Int) -> SlotKey { SlotKey(rawValue: UInt64(number)) }

    @Test("The oldest comes out first")
    func order() {
        var queue = ArrivalQueue()
        #expect(queue.popFirst() == nil)
        for number in 1...3 { queue.append(key(number)) }
        #expect(queue.popFirst() == key(1))
        queue.append(key(4))
        #expect((0..<4).map { _ in queue.popFirst() } == [key(2), key(3), key(4), nil])
    }

    @Test("Of very many the latest are kept")
    func bounded() {
        var queue = ArrivalQueue()
        for number in 1...20_000 { queue.append(key(number)) }
        #expect(queue.popFirst() == key(20_000 - 4096 + 1))
        var last: SlotKey?
        while let next = queue.popFirst() { last = next }
        #expect(last == key(20_000))
    }
}
