import Reactor
import Synchronization
import Testing

@Suite("Mailboxes and threads")
struct MailboxTests {
    @Test("Messages of other threads arrive, each once and each thread's in order")
    func delivers() throws {
        let mailbox = try Mailbox<Int>()
        var poller = try Poller()
        try mailbox.bell.watch(in: poller, key: SlotKey(rawValue: 1))
        let threads = try (0..<4).map { thread in
            try WorkerThread(name: "post-\(thread)") {
                for number in 0..<1000 { mailbox.post(thread * 1000 + number) }
            }
        }
        var received: [Int] = []
        while received.count < 4000 {
            _ = try poller.wait(timeout: -1)
            received += mailbox.take()
        }
        for thread in threads { thread.join() }
        #expect(Set(received).count == 4000)
        for thread in 0..<4 {
            let own = received.filter { $0 / 1000 == thread }
            #expect(own == own.sorted())
        }
    }

    @Test("A bell that was rung is heard once")
    func rings() throws {
        let bell = try Wakeup()
        var poller = try Poller()
        try bell.watch(in: poller, key: SlotKey(rawValue: 1))
        bell.ring()
        bell.ring()
        let heard = try poller.wait(timeout: -1)
        bell.silence()
        let again = try poller.wait(timeout: 0)
        #expect(heard == 1)
        #expect(again == 0)
    }

    @Test("Entropy does not repeat")
    func isUnpredictable() {
        var entropy = Entropy()
        var words: Set<UInt64> = []
        for _ in 0..<2000 { words.insert(entropy.word()) }
        #expect(words.count == 2000)
    }

    @Test("The monotonic clock does not go back")
    func advances() {
        let first = Clock.monotonic()
        let second = Clock.monotonic()
        #expect(second >= first)
        #expect(Clock.civil() > 1_700_000_000_000_000_000)
    }
}
