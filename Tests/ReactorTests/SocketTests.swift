import Reactor
import Testing

@Suite("Sockets and the poller")
struct SocketTests {
    private func listener() throws -> ListeningSocket {
        try ListeningSocket(.ipv4(0x7f00_0001, port: 0))
    }

    @Test("A connection is accepted, and bytes go over it")
    func connects() throws {
        let listener = try listener()
        var poller = try Poller()
        let key = SlotKey(rawValue: 1 << 32 | 1)
        try poller.add(listener.descriptor, for: .readableLevel, key: key)
        let client = try Socket.connect(to: listener.address)
        let count = try poller.wait(timeout: -1)
        let event = poller[0]
        #expect(count == 1)
        #expect(event.key == key)
        #expect(event.readiness.canRead)
        guard case .connection(let server, from: let address) = listener.accept() else {
            Issue.record("nobody waits")
            return
        }
        #expect(address.port != nil)
        try poller.add(server.descriptor, for: .everything, key: SlotKey(rawValue: 1 << 32 | 2))
        let written = client.write("hello".utf8.span)
        client.shutdownWriting()
        var received: [UInt8] = []
        var ended = false
        while !ended {
            _ = try poller.wait(timeout: -1)
            var room = [UInt8](repeating: 0, count: 16)
            reading: while true {
                switch unsafe room.withUnsafeMutableBytes({ unsafe server.read(into: $0) }) {
                case .moved(let count): received += room[..<count]
                case .wouldBlock: break reading
                case .ended:
                    ended = true
                    break reading
                case .failed(let code):
                    Issue.record("read failed: \(code)")
                    return
                }
            }
        }
        #expect(written == .moved(5))
        #expect(String(decoding: received, as: UTF8.self) == "hello")
    }

    @Test("Two sockets may share a port, but not with one that is exclusive")
    func shares() throws {
        let first = try listener()
        let second = try ListeningSocket(first.address)
        #expect(second.address == first.address)
        let address = first.address
        #expect(throws: SystemError.self) { _ = try ListeningSocket(address, isExclusive: true).address }
    }

    @Test("A connection to a port where nobody listens fails")
    func isRefused() throws {
        let listener = try ListeningSocket(.ipv4(0x7f00_0001, port: 0))
        let address = listener.address
        _ = consume listener
        var poller = try Poller()
        let client = try Socket.connect(to: address)
        try poller.add(client.descriptor, for: .everything, key: SlotKey(rawValue: 1 << 32))
        _ = try poller.wait(timeout: -1)
        let code = client.pendingError
        #expect(code != 0)
    }

    @Test(
        "Addresses are written as people write them",
        arguments: [
            (SocketAddress.ipv4(0x7f00_0001, port: 8443), "127.0.0.1:8443"),
            (.ipv6(0, 1, port: 80), "[::1]:80"),
            (.ipv6(0x2001_0db8_0000_0000, 0xff, port: 1), "[2001:db8::ff]:1"),
            (.unix("/run/a.sock"), "unix:/run/a.sock"),
        ])
    func describes(address: SocketAddress, text: String) {
        #expect(address.description == text)
    }

    @Test("Literal addresses resolve to themselves", arguments: ["127.0.0.1", "::1"])
    func resolves(host: String) throws {
        let address = try #require(try SocketAddress.resolve(host: host, port: 9).first)
        #expect(address.description.contains(host))
        #expect(address.port == 9)
    }
}
