import Reactor
import Synchronization

/// How the audit thread sleeps, and is woken by a system call only where it does.
final class AuditBell: Sendable {
    private let wakeup: Wakeup
    private let isSleeping = Atomic<Bool>(false)

    /// Asks the kernel for a bell.
    init() throws(SystemError) {
        wakeup = try Wakeup()
    }

    /// Wakes the thread where it sleeps for want of work; one fence and one load where it does not.
    ///
    /// The fence and that of ``sleep(milliseconds:unless:)`` make one of the two see the other: either the producer sees
    /// the flag, or the sleeper sees the record.
    func notify() {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard isSleeping.load(ordering: .relaxed), isSleeping.exchange(false, ordering: .relaxed) else { return }
        wakeup.ring()
    }

    /// Ends the thread's sleep or nap: the present one, or else the next.
    func ring() {
        wakeup.ring()
    }

    /// Sleeps until notified, rung for or the time is over (-1: never), unless there is work already.
    func sleep(milliseconds: CInt, unless hasWork: () -> Bool) {
        isSleeping.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if !hasWork() { wakeup.wait(timeout: milliseconds) }
        isSleeping.store(false, ordering: .relaxed)
    }

    /// Sleeps until rung for or the time is over; notifications do not count.
    func nap(milliseconds: CInt) {
        wakeup.wait(timeout: milliseconds)
    }
}
