import Audit
import Bytes
import Cryptography
import Foundation
import Testing

@Suite("The queue between a worker and the log")
struct AuditQueueTests {
    private func drain(_ queue: AuditQueue, upTo bytes: Int = .max) throws -> (records: Int, text: String) {
        var chain = AuditChain(engine: try CryptographicEngine())
        var lines = ByteQueue()
        let records = queue.drain(into: &chain, &lines, upTo: bytes)
        return (records, Lines.text(lines))
    }

    @Test("What goes in comes out, in order, as lines of the chain")
    func order() throws {
        let queue = AuditQueue(capacity: 1 << 16)
        var record = AuditRecord()
        for number in 0..<20 {
            Lines.request(number, in: &record)
            let ticket = queue.submit(record) != nil
            #expect(ticket)
        }
        let (records, text) = try drain(queue)
        #expect(records == 20)
        #expect(Array(text.utf8) == (try Lines.log(20)))
        #expect(queue.isEmpty)
    }

    @Test("A full queue takes nothing, and takes again once it is drained")
    func full() throws {
        let queue = AuditQueue(capacity: 4096)
        let record = Lines.record(size: 1000)
        var taken = 0
        while queue.submit(record) != nil { taken += 1 }
        #expect(taken == 4)
        #expect(queue.takeStarvation())
        #expect(!queue.takeStarvation())
        let before = queue.byteCount
        let refused = queue.submit(record) == nil
        #expect(refused)
        #expect(queue.byteCount == before)
        #expect(try drain(queue).records == 4)
        let isTaken = queue.submit(record) != nil
        #expect(isTaken)
        #expect(try drain(queue).records == 1)
    }

    @Test("A record that would not leave the room that is set aside is not taken, and who waits is told of room")
    func reserve() throws {
        let queue = AuditQueue(capacity: 4096)
        let record = Lines.record(size: 1000)
        let isTaken = queue.submit(record, leaving: 4096 - record.byteCount - AuditQueue.recordOverhead) != nil
        #expect(isTaken)
        let isRefused = queue.submit(record, leaving: 3000) == nil
        #expect(isRefused)
        #expect(queue.takeStarvation())
        let isTakenFromReserve = queue.submit(record, leaving: 1000) != nil
        #expect(isTakenFromReserve)
        #expect(try drain(queue).records == 2)
    }

    @Test("A record that fills the ring to the last byte fits, one byte more never does")
    func largest() throws {
        let queue = AuditQueue(capacity: 4096)
        for excess in [0, 1] {
            var record = AuditRecord()
            record.member("event", String(repeating: "x", count: 4096 - 12 - #"{"event":""}"#.utf8.count + excess))
            record.finish()
            let (canHold, isTaken) = (queue.canEverHold(record), queue.submit(record) != nil)
            #expect(canHold == (excess == 0))
            #expect(isTaken == (excess == 0))
        }
        #expect(try drain(queue).records == 1)
    }

    @Test("A record that makes no line that a log may hold is not taken, whatever the capacity")
    func tooLong() {
        let queue = AuditQueue(capacity: 1 << 22)
        let long = Lines.record(size: AuditChain.maximumLineByteCount)
        let (canHold, isTaken) = (queue.canEverHold(long), queue.submit(long) != nil)
        #expect(!canHold)
        #expect(!isTaken)
        let shorter = Lines.record(size: AuditChain.maximumLineByteCount - 200)
        let isShorterTaken = queue.submit(shorter) != nil
        #expect(isShorterTaken)
    }

    @Test("Records survive every way of lying across the end of the ring")
    func wrapping() throws {
        let queue = AuditQueue(capacity: 4096)
        var chain = AuditChain(engine: try CryptographicEngine())
        var lines = ByteQueue()
        var record = AuditRecord()
        for number in 0..<5000 {
            Lines.request(number, in: &record)
            let isTaken = queue.submit(record) != nil
            #expect(isTaken)
            if number % 7 == 0 { _ = queue.drain(into: &chain, &lines, upTo: .max) }
        }
        _ = queue.drain(into: &chain, &lines, upTo: .max)
        let expected = try Lines.log(5000)
        let isSame = lines.readable.equals(expected.span)
        #expect(isSame)
    }

    @Test("Draining stops once the lines are as many bytes as was said")
    func bounded() throws {
        let queue = AuditQueue(capacity: 1 << 16)
        let record = Lines.record(size: 1000)
        for _ in 0..<10 { _ = queue.submit(record) }
        #expect(try drain(queue, upTo: 1).records == 1)
        #expect(try drain(queue, upTo: 2500).records == 3)
        #expect(try drain(queue).records == 6)
    }

    @Test("With batched durability a ticket is good at once, with synced once it is acknowledged")
    func tickets() throws {
        let queue = AuditQueue(capacity: 1 << 16)
        let record = Lines.record(size: 100)
        guard let first = queue.submit(record) else {
            Issue.record("there is no room")
            return
        }
        let batched = queue.isSafe(first, durability: .batched)
        #expect(batched)
        let early = queue.isSafe(first, durability: .synced)
        #expect(!early)
        queue.acknowledge()
        let undrained = queue.isSafe(first, durability: .synced)
        #expect(!undrained)
        _ = try drain(queue)
        let unacknowledged = queue.isSafe(first, durability: .synced)
        #expect(!unacknowledged)
        guard let later = queue.submit(record) else {
            Issue.record("there is no room")
            return
        }
        queue.acknowledge()
        let synced = queue.isSafe(first, durability: .synced)
        #expect(synced)
        let next = queue.isSafe(later, durability: .synced)
        #expect(!next)
    }

    @Test("Only the record of an allowed request gives a receipt", arguments: AuditEvent.allCases)
    func receipts(event: AuditEvent) throws {
        let queue = AuditQueue(capacity: 1 << 16)
        var record = AuditRecord()
        record.member(event: event)
        record.finish()
        guard let ticket = queue.submit(record) else {
            Issue.record("there is no room")
            return
        }
        let hasReceipt = queue.redeem(ticket, durability: .batched) != nil
        #expect(hasReceipt == (event == .requestAllowed))
    }

    @Test("A record that is not on disk gives no receipt")
    func refusesEarlyReceipts() throws {
        let queue = AuditQueue(capacity: 1 << 16)
        var record = AuditRecord()
        record.member(event: .requestAllowed)
        record.finish()
        guard let ticket = queue.submit(record) else {
            Issue.record("there is no room")
            return
        }
        let hasReceipt = queue.redeem(ticket, durability: .synced) != nil
        #expect(!hasReceipt)
    }

    @Test("Two threads at full speed lose nothing and mix nothing up")
    func stress() throws {
        let count = 20_000
        let queue = AuditQueue(capacity: 1 << 14)
        let producer = Thread {
            var record = AuditRecord()
            for number in 0..<count {
                Lines.request(number, in: &record)
                while queue.submit(record) == nil { sched_yield() }
            }
        }
        producer.start()
        var chain = AuditChain(engine: try CryptographicEngine())
        var lines = ByteQueue()
        var record = AuditRecord()
        var expectedChain = AuditChain(engine: try CryptographicEngine())
        var expected = ByteQueue()
        var next = 0
        var isSame = true
        while next < count {
            let records = queue.drain(into: &chain, &lines, upTo: 1 << 14)
            queue.acknowledge()
            for number in next..<next + records {
                Lines.request(number, in: &record)
                expectedChain.append(record, to: &expected)
            }
            next += records
            isSame = isSame && lines.readable.equals(expected.readable)
            lines.removeAll()
            expected.removeAll()
            if records == 0 { sched_yield() }
        }
        #expect(isSame)
        #expect(queue.isEmpty)
        #expect(chain.sequence == UInt64(count))
    }
}
