import CShims
import Glibc

/// The kernel's list of descriptors to watch (epoll), edge-triggered.
///
/// Edge-triggered: a descriptor is registered once for both directions and never again, so that a change of interest
/// (backpressure, a full socket) is a flag in the connection and not a system call. The price is that whoever is told
/// "readable" must read until the kernel has no more, or remember that it did not.
@safe
public struct Poller: ~Copyable {
    /// What became possible on a descriptor.
    public struct Readiness: OptionSet, Sendable {
        /// The bits, as the kernel has them.
        public let rawValue: UInt32

        /// Takes the kernel's bits.
        @inlinable public init(rawValue: UInt32) {
            self.rawValue = rawValue
        }

        /// There is something to read, or the end of it.
        public static let readable = Readiness(rawValue: EPOLLIN.rawValue | EPOLLRDHUP.rawValue)
        /// There is room to write.
        public static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
        /// An error or a full close: the next read or write tells.
        public static let failed = Readiness(rawValue: EPOLLERR.rawValue | EPOLLHUP.rawValue)

        /// Whether the peer has ended its side, or all is over: nothing further will be reported.
        public var hasEnd: Bool { rawValue & (EPOLLRDHUP.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0 }
        /// Whether reading may make progress.
        public var canRead: Bool { !isDisjoint(with: .readable) || !isDisjoint(with: .failed) }
        /// Whether writing may make progress.
        public var canWrite: Bool { !isDisjoint(with: .writable) || !isDisjoint(with: .failed) }
    }

    /// What is watched for.
    public enum Interest: Sendable {
        /// Both directions, edge-triggered: connections.
        case everything
        /// Reading, reported as long as it holds: listeners, mailboxes, signals.
        case readableLevel
    }

    /// One report.
    public struct Event: Sendable {
        /// The key that the descriptor was registered with.
        public let key: SlotKey
        /// What became possible.
        public let readiness: Readiness
    }

    private static let batch = 256
    private let descriptor: FileDescriptor
    /// Room for one batch; owned by this value, read only within the count that the kernel returned.
    private let events: UnsafeMutablePointer<epoll_event>
    private var reported = 0

    /// Asks the kernel for an empty list.
    public init() throws(SystemError) {
        let number = epoll_create1(CInt(EPOLL_CLOEXEC))
        guard number >= 0 else { throw SystemError("epoll_create1") }
        descriptor = FileDescriptor(owning: number)
        unsafe events = .allocate(capacity: Self.batch)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Starts to watch a descriptor; closing it ends that.
    public func add(_ descriptor: borrowing FileDescriptor, for interest: Interest, key: SlotKey) throws(SystemError) {
        let bits: UInt32 =
            switch interest {
            case .everything: EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
            case .readableLevel: EPOLLIN.rawValue
            }
        guard sp_epoll_control(self.descriptor.number, EPOLL_CTL_ADD, descriptor.number, bits, key.rawValue) == 0 else {
            throw SystemError("epoll_ctl")
        }
    }

    /// Stops watching a descriptor that stays open.
    public func remove(_ descriptor: borrowing FileDescriptor) {
        _ = sp_epoll_control(self.descriptor.number, EPOLL_CTL_DEL, descriptor.number, 0, 0)
    }

    /// Waits for reports.
    ///
    /// - Parameter timeout: milliseconds to wait at most; -1 waits as long as it takes.
    /// - Returns: the number of events to read with ``subscript(_:)``; 0 after the timeout or a signal.
    public mutating func wait(timeout: CInt) throws(SystemError) -> Int {
        let count = unsafe epoll_wait(descriptor.number, events, CInt(Self.batch), timeout)
        if count < 0 {
            reported = 0
            guard errno == EINTR else { throw SystemError("epoll_wait") }
            return 0
        }
        reported = Int(count)
        return reported
    }

    /// The event at `index` of the last ``wait(timeout:)``.
    public subscript(index: Int) -> Event {
        precondition(index >= 0 && index < reported, "no such event")
        return unsafe Event(
            key: SlotKey(rawValue: sp_epoll_key(events + index)), readiness: Readiness(rawValue: events[index].events))
    }
}
