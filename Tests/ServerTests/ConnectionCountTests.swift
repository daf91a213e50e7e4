import Bytes
import Testing

@testable import Server

@Suite("How many connections there are, and whose")
struct ConnectionCountTests {
    private func client(_ number: UInt8) throws -> Digest256 {
        let bytes = [UInt8](repeating: number, count: 32)
        let digest = Digest256(bytes.span)
        return try #require(digest)
    }

    private func count(limit: Int, perClient: Int = 0) -> ConnectionCount {
        let count = ConnectionCount(limit: limit, workers: 1)
        count.setLimit(limit, perClient: perClient)
        return count
    }

    @Test("Handshakes may go beyond the limit by the headroom, and no further")
    func headroom() {
        let count = count(limit: 8)
        let admitted = (0..<100).count { _ in count.enter(worker: 0) }
        #expect(admitted == 8 + ConnectionCount.headroom(of: 8))
        count.leave(worker: 0)
        #expect(count.enter(worker: 0))
        #expect(!count.enter(worker: 0))
    }

    @Test("A lone client may have all, and nobody takes its own place")
    func alone() throws {
        let count = count(limit: 4)
        let one = try client(1)
        for _ in 0..<4 { #expect(count.enter(client: one, isNamed: true) == .admitted) }
        #expect(count.enter(client: one, isNamed: true) == .refused)
        count.leave(client: one)
        #expect(count.enter(client: one, isNamed: true) == .admitted)
    }

    @Test("Whoever has less than its share takes the place of who has most, and no more than its share")
    func fairness() throws {
        let count = count(limit: 4)
        let (greedy, late) = (try client(1), try client(2))
        for _ in 0..<4 { _ = count.enter(client: greedy, isNamed: true) }
        #expect(count.enter(client: late, isNamed: true) == .inPlace(of: greedy))
        count.leave(client: greedy)
        #expect(count.enter(client: late, isNamed: true) == .inPlace(of: greedy))
        count.leave(client: greedy)
        #expect(count.enter(client: late, isNamed: true) == .refused)
    }

    @Test("A limit for each certificate holds whatever is free, and not for who shows none")
    func perClient() throws {
        let count = count(limit: 100, perClient: 1)
        let (one, two, nobody) = (try client(1), try client(2), try client(0))
        #expect(count.enter(client: one, isNamed: true) == .admitted)
        #expect(count.enter(client: one, isNamed: true) == .refused)
        #expect(count.enter(client: two, isNamed: true) == .admitted)
        for _ in 0..<3 { #expect(count.enter(client: nobody, isNamed: false) == .admitted) }
    }
}
