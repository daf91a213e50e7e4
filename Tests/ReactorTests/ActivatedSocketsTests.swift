import Foundation
import Reactor
import Testing

@Suite("Sockets that are handed over at the start", .serialized)
struct ActivatedSocketsTests {
    /// A listening socket of another owner, as the service manager would hand it over; its number.
    private func handOver(_ socket: consuming ListeningSocket, as number: CInt) -> CInt {
        dup2(socket.descriptor.number, number)
    }

    private func environment(_ count: String, _ names: String?, process: pid_t = getpid()) -> [String: String] {
        var environment = ["LISTEN_PID": "\(process)", "LISTEN_FDS": count]
        environment["LISTEN_FDNAMES"] = names
        return environment
    }

    private func isOpen(_ number: CInt) -> Bool { fcntl(number, F_GETFD) >= 0 }

    private func tcp() throws -> ListeningSocket { try ListeningSocket(.ipv4(0x7F00_0001, port: 0)) }

    @Test("A listener takes the socket of its name, and clients reach it there")
    func byName() throws {
        let original = try tcp()
        let address = original.address
        let number = handOver(original, as: 700)
        #expect(number == 700)
        var sockets = try ActivatedSockets(environment: environment("1", "agents"), first: 700)
        #expect(sockets.remaining == ["agents"])
        let stranger = try sockets.take(name: "other", address: nil) == nil
        #expect(stranger)
        guard let taken = try sockets.take(name: "agents", address: nil) else {
            Issue.record("nothing is there")
            return
        }
        let isEmpty = sockets.isEmpty
        #expect(isEmpty)
        #expect(taken.address == address)
        let again = try sockets.take(name: "agents", address: address) == nil
        #expect(again)
        // It does not wait for somebody to come, even if its former owner did.
        let waits = if case .none = taken.accept() { false } else { true }
        #expect(!waits)
        var poller = try Poller()
        try poller.add(taken.descriptor, for: .readableLevel, key: SlotKey(rawValue: 1 << 32))
        let client = try Socket.connect(to: address)
        _ = try poller.wait(timeout: -1)
        let isReached = if case .connection = taken.accept() { true } else { false }
        #expect(isReached)
        _ = consume client
    }

    @Test("Where names do not tell, the address does")
    func byAddress() throws {
        let first = try tcp()
        let second = try tcp()
        let addresses = [first.address, second.address]
        _ = handOver(first, as: 710)
        _ = handOver(second, as: 711)
        // A unit with two addresses gives both sockets one name.
        var sockets = try ActivatedSockets(environment: environment("2", "agents:agents"), first: 710)
        let ambiguous = try sockets.take(name: "agents", address: nil) == nil
        #expect(ambiguous)
        let taken = try sockets.take(name: "agents", address: addresses[1])?.address
        #expect(taken == addresses[1])
        let left = sockets.remaining
        #expect(left == ["agents"])
        let other = try sockets.take(name: "anything", address: addresses[0])?.address
        #expect(other == addresses[0])
    }

    @Test("A UNIX socket is known by its path")
    func unix() throws {
        let path = "/tmp/sp-\(UUID().uuidString)"
        defer { _ = unsafe unlink(path) }
        _ = handOver(try ListeningSocket(.unix(path)), as: 720)
        var sockets = try ActivatedSockets(environment: environment("1", nil), first: 720)
        #expect(sockets.remaining == ["unix:\(path)"])
        let elsewhere = try sockets.take(name: "a", address: .unix(path + "x")) == nil
        #expect(elsewhere)
        let address = try sockets.take(name: "a", address: .unix(path))?.address
        #expect(address == .unix(path))
    }

    @Test("What nobody takes is closed, what is taken belongs to who took it")
    func closed() throws {
        _ = handOver(try tcp(), as: 730)
        _ = handOver(try tcp(), as: 731)
        var sockets = try ActivatedSockets(environment: environment("2", "a:b"), first: 730)
        let taken = try sockets.take(name: "a", address: nil)
        #expect(isOpen(731))
        _ = consume sockets
        #expect(!isOpen(731))
        #expect(isOpen(730))
        _ = consume taken
        #expect(!isOpen(730))
    }

    @Test("What was handed to another process, or to none, is not ours")
    func others() throws {
        _ = handOver(try tcp(), as: 740)
        for environment in [
            environment("1", "a", process: getpid() + 1), [:], ["LISTEN_FDS": "1"], ["LISTEN_PID": "\(getpid())"],
        ] {
            let sockets = try ActivatedSockets(environment: environment, first: 740)
            let isEmpty = sockets.isEmpty
            #expect(isEmpty)
            _ = consume sockets
            #expect(isOpen(740))
        }
        close(740)
    }

    @Test("A number of sockets that is none is refused", arguments: ["", "x", "-1", "1025", "1 "])
    func number(_ text: String) {
        #expect(throws: SystemError.self) {
            _ = try ActivatedSockets(environment: environment(text, nil)).isEmpty
        }
    }

    @Test("What is no socket that listens is refused and closed")
    func noListener() throws {
        let file = unsafe open("/dev/null", O_RDONLY)
        #expect(throws: SystemError.self) { _ = try ListeningSocket(adopting: file).address }
        #expect(!isOpen(file))
        let datagrams = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        #expect(throws: SystemError.self) { _ = try ListeningSocket(adopting: datagrams).address }
        let idle = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #expect(throws: SystemError.self) { _ = try ListeningSocket(adopting: idle).address }
        #expect(!isOpen(idle))
        #expect(throws: SystemError.self) { _ = try ListeningSocket(adopting: 4000).address }
    }
}
