import CShims
import Glibc

/// A bell that one thread rings and another hears in its ``Poller`` (eventfd).
public final class Wakeup: Sendable {
    private let descriptor: FileDescriptor

    /// Asks the kernel for a silent bell.
    public init() throws(SystemError) {
        let number = eventfd(0, CInt(EFD_NONBLOCK | EFD_CLOEXEC))
        guard number >= 0 else { throw SystemError("eventfd") }
        descriptor = FileDescriptor(owning: number)
    }

    /// Rings: from any thread, never waits.
    public func ring() {
        var one: UInt64 = 1
        // A full counter (EAGAIN) means that it rings already.
        _ = unsafe write(descriptor.number, &one, 8)
    }

    /// Silences the bell.
    public func silence() {
        var count: UInt64 = 0
        _ = unsafe read(descriptor.number, &count, 8)
    }

    /// Has `poller` report `key` while the bell rings.
    public func watch(in poller: borrowing Poller, key: SlotKey) throws(SystemError) {
        try poller.add(descriptor, for: .readableLevel, key: key)
    }

    /// Waits for the bell, at most so many milliseconds, and silences it; for threads without a ``Poller``.
    public func wait(timeout: CInt) {
        var request = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        if unsafe poll(&request, 1, timeout) > 0 { silence() }
    }
}
