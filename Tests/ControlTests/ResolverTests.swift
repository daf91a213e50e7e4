import Bytes
import Foundation
import Reactor
import Synchronization
import Testing

@testable import Control

@Suite("Resolver")
struct ResolverTests {
    /// What a resolver has told, for a test that waits for it.
    private final class Ear: Sendable {
        private let told = Mutex<[[String: [SocketAddress]]]>([])
        private let semaphore = DispatchSemaphore(value: 0)

        func hear(_ addresses: [String: [SocketAddress]]) {
            told.withLock { $0.append(addresses) }
            semaphore.signal()
        }

        /// The next thing that is told, within half a minute.
        func next() -> [String: [SocketAddress]]? {
            guard semaphore.wait(timeout: .now() + 30) == .success else { return nil }
            return told.withLock { $0.removeFirst() }
        }

        var isSilent: Bool { told.withLock { $0.isEmpty } }
    }

    private static let one = SocketAddress.ipv4(0x0A00_0001, port: 0)
    private static let two = SocketAddress.ipv4(0x0A00_0002, port: 0)
    private static let loopback = SocketAddress.ipv4(0x7F00_0001, port: 0)

    /// Names of the hosts file with their IPv4 addresses.
    private static let hosts: [(name: String, address: String)] = {
        let text = (try? String(contentsOfFile: "/etc/hosts", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let words = line.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0].allSatisfy({ $0.isNumber || $0 == "." }) else { return nil }
            return (String(words[1]), String(words[0]))
        }
    }()

    @Test("The name of this machine for itself is looked up")
    func localhost() throws {
        let ear = Ear()
        let resolver = try Resolver { ear.hear($0) }
        try resolver.start()
        resolver.watch(["localhost": .seconds(30)])
        #expect(ear.next()?["localhost"]?.contains(Self.loopback) == true)
        resolver.stop()
    }

    @Test("Names of the hosts file are looked up", .enabled(if: !hosts.isEmpty, "there is no hosts file with a name"))
    func hostsFile() throws {
        let host = try #require(Self.hosts.last)
        let addresses = try NameLookup.addresses(of: host.name).map(\.description)
        #expect(addresses.contains("\(host.address):0"))
    }

    @Test("Literal addresses are taken as they are", arguments: [("127.0.0.1", loopback)])
    func literal(_ host: String, _ address: SocketAddress) throws {
        #expect(NameLookup.answer(host) == NameAnswer(addresses: [address], timeToLive: nil))
        #expect(try NameLookup.addresses(of: host, port: 80) == [address.with(port: 80)])
    }

    @Test("A name that cannot be has no addresses")
    func nonsense() {
        #expect(NameLookup.answer("a..b") == nil)
    }

    @Test("A name whose answer changes is told anew, and looked up as often as its time to live says")
    func changes() throws {
        let ear = Ear()
        let count = Atomic(0)
        let resolver = try Resolver(
            lookup: { _ in
                let number = count.add(1, ordering: .relaxed).newValue
                return NameAnswer(addresses: [number < 2 ? Self.one : Self.two], timeToLive: .zero)
            }, listener: { ear.hear($0) })
        try resolver.start()
        resolver.watch(["orders": .seconds(30)])
        #expect(ear.next() == ["orders": [Self.one]])
        #expect(ear.next() == ["orders": [Self.two]])
        resolver.stop()
    }

    @Test("Names can be given at any time, and only those that are watched are told")
    func orders() throws {
        let ear = Ear()
        let resolver = try Resolver(
            lookup: { name in
                name == "down" ? nil : NameAnswer(addresses: [name == "a" ? Self.one : Self.two], timeToLive: nil)
            }, listener: { ear.hear($0) })
        resolver.watch(["a": .seconds(30), "down": .seconds(30)])
        try resolver.start()
        #expect(ear.next() == ["a": [Self.one]])
        resolver.watch(["b": .seconds(30), "down": .seconds(30)], known: ["down": [Self.one]])
        #expect(ear.next() == ["b": [Self.two], "down": [Self.one]])
        resolver.stop()
        #expect(ear.isSilent)
    }

    @Test("A resolver that is stopped before it starts tells nothing")
    func stopped() throws {
        let ear = Ear()
        let asked = Atomic(false)
        let resolver = try Resolver(
            lookup: { _ in
                asked.store(true, ordering: .relaxed)
                return nil
            }, listener: { ear.hear($0) })
        resolver.watch(["a": .seconds(1)])
        resolver.stop()
        try resolver.start()
        #expect(ear.isSilent)
        let wasAsked = asked.load(ordering: .relaxed)
        #expect(!wasAsked)
    }
}
