import Bytes
import Testing

@testable import HTTP2

@Suite("StreamSlab")
struct StreamSlabTests {
    @Test("A slot that was given back is the next to be taken, empty")
    func reuse() {
        var slab = StreamSlab()
        let first = slab.claim(id: 1)
        let second = slab.claim(id: 3)
        #expect(first != second)
        #expect(slab.open == 2)
        slab[first].received.append(7)
        slab[first].isRefused = true
        slab.release(first)
        #expect(slab.open == 1)
        #expect(slab[second].id == 3)
        #expect(slab.claim(id: 5) == first)
        #expect(slab[first].id == 5)
        let left = slab[first].received.count
        #expect(left == 0)
        #expect(!slab[first].isRefused)
    }

    @Test("A big buffer is not kept in a spare slot, a small one is")
    func memory() {
        var slab = StreamSlab()
        let index = slab.claim(id: 1)
        slab[index].received.reserve(100_000)
        slab[index].outgoing.reserve(1000)
        slab.release(index)
        let big = slab[index].received.capacity
        let small = slab[index].outgoing.capacity
        #expect(big == 0)
        #expect(small > 0)
    }

    @Test("An idle connection keeps few slots, or none when it is told so")
    func idle() {
        var slab = StreamSlab()
        for id in 0..<100 { _ = slab.claim(id: Int32(id)) }
        for index in 0..<100 { slab.release(index) }
        #expect(slab.open == 0)
        let taken = (0..<16).map { slab.claim(id: Int32($0)) }
        #expect(Set(taken) == Set(0..<16))
        slab.releaseMemory()
        #expect(slab.open == 16)
        for index in taken { slab.release(index) }
        slab.releaseMemory()
        #expect(slab.claim(id: 1) == 0)
    }
}
