import Bytes
import Testing

@Suite("The byte queue")
struct ByteQueueTests {
    private func contents(_ queue: borrowing ByteQueue) -> [UInt8] { Array(copying: queue.readable) }

    @Test("Bytes come out in the order they went in")
    func isFirstInFirstOut() {
        var queue = ByteQueue()
        queue.append("abc")
        queue.append(UInt8(ascii: "d"))
        queue.append(utf8: "éf")
        queue.consume(2)
        let rest = contents(queue)
        #expect(rest == Array("cdéf".utf8))
    }

    @Test("It owns nothing before its first byte and after its release")
    func ownsNothing() {
        var queue = ByteQueue()
        let before = queue.capacity
        queue.append("x")
        let during = queue.capacity
        queue.releaseStorage()
        let after = queue.capacity
        #expect(before == 0)
        #expect(during > 0)
        #expect(after == 0)
    }

    @Test("Growing and shifting keep what waits", arguments: [1, 3, 255, 256, 257, 70_000])
    func grows(step: Int) {
        var queue = ByteQueue()
        var expected: [UInt8] = []
        var next: UInt8 = 0
        for round in 0..<20 {
            var block: [UInt8] = []
            for _ in 0..<step {
                block.append(next)
                next &+= 1
            }
            queue.append(block.span)
            expected += block
            let taken = min(expected.count, step / 2 + round)
            queue.consume(taken)
            expected.removeFirst(taken)
        }
        let rest = contents(queue)
        #expect(rest == expected)
        #expect(queue.count == expected.count)
    }

    @Test("Written in place, only what was written counts")
    func appendsInPlace() {
        var queue = ByteQueue()
        queue.append("ab")
        let written = unsafe queue.append(upTo: 10) { room in
            unsafe room[0] = UInt8(ascii: "c")
            return 1
        }
        let rest = contents(queue)
        #expect(written == 1)
        #expect(rest == Array("abc".utf8))
    }

    @Test("Truncating undoes appends")
    func truncates() {
        var queue = ByteQueue()
        queue.append("abcdef")
        queue.consume(1)
        queue.truncate(to: 2)
        let rest = contents(queue)
        #expect(rest == Array("bc".utf8))
    }

    @Test("A queue is appended to another")
    func appendsQueue() {
        var one = ByteQueue()
        var other = ByteQueue()
        one.append("ab")
        other.append("xcd")
        other.consume(1)
        one.append(other)
        let joined = contents(one)
        #expect(joined == Array("abcd".utf8))
        #expect(other.count == 2)
    }

    @Test(
        "Numbers are written in digits",
        arguments: [
            (0, "0"), (7, "7"), (-12, "-12"), (Int.max, "9223372036854775807"), (Int.min, "-9223372036854775808"),
        ])
    func writesNumbers(number: Int, text: String) {
        var queue = ByteQueue()
        queue.append(decimal: number)
        let written = contents(queue)
        #expect(written == Array(text.utf8))
    }

    @Test("Consuming more than there is ends the program")
    func refusesOverrun() async {
        await #expect(processExitsWith: .failure) {
            var queue = ByteQueue()
            queue.append("a")
            queue.consume(2)
        }
    }
}
