import Foundation
import Reactor
import Testing

/// The manager's end: a socket that receives datagrams.
private struct Manager: ~Copyable {
    let number: Int32

    init(path: String) throws {
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            unsafe room.copyBytes(from: path.utf8)
            if path.hasPrefix("@") { unsafe room[0] = 0 }
        }
        let length = 2 + path.utf8.count + (path.hasPrefix("@") ? 0 : 1)
        let bound = unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(number, $0, socklen_t(length)) }
        }
        try #require(bound == 0)
    }

    /// What was received, or nothing.
    func receive() -> String? {
        var room = [UInt8](repeating: 0, count: 512)
        let count = unsafe recv(number, &room, room.count, 0)
        return count < 0 ? nil : String(decoding: room[..<count], as: UTF8.self)
    }

    deinit { close(number) }
}

@Suite("What the service manager is told")
struct ServiceNotifierTests {
    @Test("Each thing is told in the manager's words, over a path or an abstract name", arguments: ["/tmp/", "@"])
    func words(_ start: String) throws {
        let path = "\(start)sp-\(UUID().uuidString)"
        let manager = try Manager(path: path)
        defer { _ = unsafe unlink(path) }
        let notifier = try #require(ServiceNotifier(environment: ["NOTIFY_SOCKET": path]))
        #expect(notifier.ready())
        #expect(manager.receive() == "READY=1")
        #expect(notifier.reloading(at: 1_234_567_890))
        #expect(manager.receive() == "RELOADING=1\nMONOTONIC_USEC=1234567")
        #expect(notifier.stopping())
        #expect(manager.receive() == "STOPPING=1")
        #expect(notifier.watchdog())
        #expect(manager.receive() == "WATCHDOG=1")
        #expect(notifier.extendTimeout(microseconds: 5))
        #expect(manager.receive() == "EXTEND_TIMEOUT_USEC=5")
        #expect(notifier.status("2 listeners\nREADY=1"))
        #expect(manager.receive() == "STATUS=2 listeners READY=1")
        #expect(manager.receive() == nil)
    }

    @Test(
        "Nobody is told where nobody wants to know",
        arguments: [nil, "", "relative", "@" + String(repeating: "a", count: 108)])
    func nobody(_ path: String?) {
        var environment: [String: String] = [:]
        environment["NOTIFY_SOCKET"] = path
        #expect(ServiceNotifier(environment: environment) == nil)
    }

    @Test("A manager that has gone is not waited for")
    func gone() throws {
        let notifier = try #require(ServiceNotifier(environment: ["NOTIFY_SOCKET": "/tmp/sp-\(UUID().uuidString)"]))
        #expect(!notifier.ready())
    }

    @Test(
        "The watchdog is ours where it names this process or none",
        arguments: [
            ("30000000", nil, 30_000_000_000), ("30000000", "self", 30_000_000_000), ("30000000", "1", nil),
            ("0", nil, nil), ("-5", nil, nil), ("x", nil, nil), ("9223372036854775807", nil, nil),
        ] as [(String, String?, Int64?)])
    func watchdog(_ period: String, _ process: String?, _ expected: Int64?) throws {
        var environment = ["NOTIFY_SOCKET": "@sp", "WATCHDOG_USEC": period]
        environment["WATCHDOG_PID"] = process == "self" ? "\(getpid())" : process
        #expect(try #require(ServiceNotifier(environment: environment)).watchdogPeriod == expected)
    }
}
