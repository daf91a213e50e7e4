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
        #expect(first !== second)
        #expect(slab.open == 2)
        first.received.append(7)
        first.isRefused = true
        slab.release(first)
        #expect(slab.open == 1)
        #expect(second.id == 3)
        #expect(slab.claim(id: 5) === first)
        #expect(first.id == 5)
        let left = first.received.count
        #expect(left == 0)
        #expect(!first.isRefused)
    }

    @Test("A stream is found by its identifier while it is open, whatever was closed around it")
    func search() {
        var slab = StreamSlab()
        for id in stride(from: Int32(1), to: 200, by: 2) { _ = slab.claim(id: id) }
        for id in stride(from: Int32(1), to: 200, by: 6) {
            if let stream = slab[id] { slab.release(stream) }
        }
        for id in Int32(0)..<202 {
            let isOpen = id % 2 == 1 && id < 200 && id % 6 != 1
            #expect(slab[id]?.id == (isOpen ? id : nil))
        }
        #expect(slab.open == 66)
    }

    @Test("A stream that is given back twice is given back once")
    func twice() {
        var slab = StreamSlab()
        let stream = slab.claim(id: 1)
        slab.release(stream)
        slab.release(stream)
        #expect(slab.open == 0)
        #expect(slab.claim(id: 3) !== slab.claim(id: 5))
    }

    @Test("A big buffer is not kept in a spare slot, a small one is")
    func memory() {
        var slab = StreamSlab()
        let stream = slab.claim(id: 1)
        stream.received.reserve(100_000)
        stream.outgoing.reserve(1000)
        slab.release(stream)
        let big = stream.received.capacity
        let small = stream.outgoing.capacity
        #expect(big == 0)
        #expect(small > 0)
    }

    @Test("An idle connection keeps few slots, or none when it is told so")
    func idle() {
        var slab = StreamSlab()
        let streams = (0..<100).map { slab.claim(id: Int32($0)) }
        for stream in streams { slab.release(stream) }
        #expect(slab.open == 0)
        let known = Set(streams.map(ObjectIdentifier.init))
        let taken = (0..<17).map { slab.claim(id: Int32($0)) }
        #expect(taken.count { known.contains(ObjectIdentifier($0)) } == 16)
        slab.releaseMemory()
        #expect(slab.open == 17)
        for stream in taken { slab.release(stream) }
        slab.releaseMemory()
        let fresh = slab.claim(id: 1)
        #expect(!taken.contains { $0 === fresh })
    }
}
