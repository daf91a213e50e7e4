import CShims
import Glibc

/// Tells the service manager how the process is (systemd's `sd_notify(3)`).
///
/// Every call sends one datagram and never waits; a manager that does not read is not waited for.
public final class ServiceNotifier: Sendable {
    /// How often the manager wants to hear ``watchdog()`` at the latest, in nanoseconds; nothing where it does not.
    ///
    /// To be on the safe side, call it twice as often.
    public let watchdogPeriod: Int64?

    private let descriptor: FileDescriptor
    private let path: String

    /// Reads from the environment whom to tell; nothing where nobody wants to know.
    ///
    /// - Parameters:
    ///   - environment: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` are read.
    ///   - processID: this process, unless it is another.
    public init?(environment: [String: String], processID: CInt? = nil) {
        let room = MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size
        guard let path = environment["NOTIFY_SOCKET"], path.hasPrefix("/") || path.hasPrefix("@"),
            path.utf8.count < room
        else { return nil }
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_NONBLOCK.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let number = socket(AF_UNIX, type, 0)
        guard number >= 0 else { return nil }
        descriptor = FileDescriptor(owning: number)
        self.path = path
        let isOurs = environment["WATCHDOG_PID"].map { $0 == String(processID ?? getpid()) } ?? true
        let microseconds = environment["WATCHDOG_USEC"].flatMap(Int64.init) ?? 0
        let isSensible = (1...Int64.max / 1000).contains(microseconds)
        watchdogPeriod = isOurs && isSensible ? microseconds * 1000 : nil
    }

    /// The process serves: after the start, and after a reload.
    @discardableResult public func ready() -> Bool { send("READY=1") }

    /// The process begins to reload, at that moment of ``Clock/monotonic()``; ``ready()`` tells of the end.
    @discardableResult public func reloading(at moment: Int64) -> Bool {
        send("RELOADING=1\nMONOTONIC_USEC=\(moment / 1000)")
    }

    /// The process begins to stop.
    @discardableResult public func stopping() -> Bool { send("STOPPING=1") }

    /// The process is alive.
    @discardableResult public func watchdog() -> Bool { send("WATCHDOG=1") }

    /// One line for people, which `systemctl status` shows.
    @discardableResult public func status(_ text: String) -> Bool {
        send("STATUS=" + text.map { $0.isNewline ? " " : String($0) }.joined())
    }

    /// Asks for more time than the unit gives for a start, a reload or a stop.
    @discardableResult public func extendTimeout(microseconds: Int64) -> Bool {
        send("EXTEND_TIMEOUT_USEC=\(microseconds)")
    }

    private func send(_ message: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            unsafe room.copyBytes(from: path.utf8)
            // An at sign stands for the byte 0, with which names begin that are in no file system.
            if path.hasPrefix("@") { unsafe room[0] = 0 }
        }
        let isAbstract = path.hasPrefix("@")
        let length = MemoryLayout<sa_family_t>.size + path.utf8.count + (isAbstract ? 0 : 1)
        let bytes = Array(message.utf8)
        let sent = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe sendto(
                    descriptor.number, bytes, bytes.count, CInt(MSG_NOSIGNAL), pointer, socklen_t(length))
            }
        }
        return sent == bytes.count
    }
}
