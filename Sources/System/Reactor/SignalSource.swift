import CShims
import Glibc

/// Signals as events: blocked for the whole process and read from a descriptor (signalfd).
public final class SignalSource: Sendable {
    private let descriptor: FileDescriptor

    /// Blocks `signals` and opens their source.
    ///
    /// Call it before any thread is started, so that all inherit the mask.
    public init(_ signals: [CInt]) throws(SystemError) {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals { unsafe sigaddset(&set, signal) }
        let code = unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        guard code == 0 else { throw SystemError("pthread_sigmask", code: code) }
        let number = unsafe signalfd(-1, &set, CInt(SFD_NONBLOCK | SFD_CLOEXEC))
        guard number >= 0 else { throw SystemError("signalfd") }
        descriptor = FileDescriptor(owning: number)
    }

    /// Has `poller` report `key` while a signal waits.
    public func watch(in poller: borrowing Poller, key: SlotKey) throws(SystemError) {
        try poller.add(descriptor, for: .readableLevel, key: key)
    }

    /// The next signal that waits, or nothing.
    public func next() -> CInt? {
        var information = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        guard unsafe read(descriptor.number, &information, size) == size else { return nil }
        return CInt(information.ssi_signo)
    }
}
