import Bytes
import Configuration
import Foundation
import Identity
import Logging
import Reactor
import Testing

@testable import Server

@Suite("The admin server on a Unix socket")
struct AdminServerTests {
    private static let revocation = #"{"level":"agent","value":"spiffe://example.test/a"}"#

    @Test("A request reaches the desk with who made it, and its answer comes back")
    func request() throws {
        let admin = try TrialAdmin()
        let answer = try #require(try admin.ask("POST", "/v1/revocations", Self.revocation))
        #expect(answer.status == 204)
        #expect(answer.head.contains("cache-control: no-store"))
        #expect(admin.desk.requests == [.revoke(RevocationDemand(level: .agent, value: "spiffe://example.test/a"))])
        #expect(admin.desk.actors == ["unix:uid=\(getuid()),pid=\(getpid())"])
        #expect(admin.desk.refused.isEmpty)
    }

    @Test("One connection carries one request after the other")
    func persistence() throws {
        let admin = try TrialAdmin()
        let connection = try admin.connect()
        for _ in 0..<3 {
            try connection.send(TrialAdmin.request("DELETE", "/v1/revocations/a"))
            #expect(try connection.answer()?.status == 204)
        }
        #expect(!connection.isEnded)
        #expect(admin.desk.requests.count == 3)
    }

    @Test("An answer may come later, and nobody else waits for it")
    func later() throws {
        let admin = try TrialAdmin()
        admin.desk.answer = nil
        let first = try admin.connect()
        try first.send(TrialAdmin.request("POST", "/v1/revocations", Self.revocation))
        try #require(try admin.turn { admin.desk.owed.count == 1 })
        admin.desk.answer = .draining(connections: 4)
        #expect(try admin.ask("POST", "/v1/drain")?.body == "{\"connections\":4}\n")
        let reply = try #require(admin.desk.owed.first)
        reply(.unrevoked)
        #expect(try first.answer()?.status == 204)
    }

    @Test("Requests that are sent at once are answered in their order, each when the one before is")
    func pipelining() throws {
        let admin = try TrialAdmin()
        admin.desk.answer = nil
        let connection = try admin.connect()
        try connection.send(
            TrialAdmin.request("GET", "/v1/status") + TrialAdmin.request("POST", "/v1/revocations", Self.revocation))
        try #require(try admin.turn { admin.desk.owed.count == 1 })
        for _ in 0..<5 { try admin.turn() }
        #expect(admin.desk.requests == [.status])
        admin.desk.owed[0](.draining(connections: 1))
        try #require(admin.desk.owed.count == 2)
        admin.desk.owed[1](.draining(connections: 2))
        #expect(try connection.answer()?.body == "{\"connections\":1}\n")
        #expect(try connection.answer()?.body == "{\"connections\":2}\n")
    }

    @Test("A second answer goes nowhere, and so does one to an operator who has left")
    func lateAnswers() throws {
        let admin = try TrialAdmin()
        admin.desk.answer = nil
        do {
            let connection = try admin.connect()
            try connection.send(TrialAdmin.request("GET", "/v1/status"))
            try #require(try admin.turn { admin.desk.owed.count == 1 })
            admin.desk.owed[0](.unrevoked)
            admin.desk.owed[0](.draining(connections: 1))
            #expect(try connection.answer()?.status == 204)
            try connection.send(TrialAdmin.request("GET", "/v1/status"))
            try #require(try admin.turn { admin.desk.owed.count == 2 })
        }
        admin.desk.owed[1](.unrevoked)
        for _ in 0..<5 { try admin.turn() }
        admin.desk.answer = .unrevoked
        #expect(try admin.ask("GET", "/v1/status")?.status == 204)
    }

    @Test("An operator who has said the last word is still answered")
    func halfClosed() throws {
        let admin = try TrialAdmin()
        admin.desk.answer = nil
        let connection = try admin.connect()
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        connection.end()
        try #require(try admin.turn { admin.desk.owed.count == 1 })
        for _ in 0..<5 { try admin.turn() }
        admin.desk.owed[0](.unrevoked)
        #expect(try connection.answer()?.status == 204)
        #expect(try connection.sawEnd())
    }

    @Test("Content that was announced and awaited is asked for")
    func expectation() throws {
        let admin = try TrialAdmin()
        let connection = try admin.connect()
        let whole = TrialAdmin.request(
            "POST", "/v1/revocations", Self.revocation, fields: "Expect: 100-continue\r\n")
        let head = try #require(whole.firstRange(of: "\r\n\r\n")).upperBound
        try connection.send(String(whole[..<head]))
        #expect(try connection.answer()?.status == 100)
        try connection.send(String(whole[head...]))
        #expect(try connection.answer()?.status == 204)
    }

    @Test("Without a desk nothing is done")
    func noDesk() throws {
        let admin = try TrialAdmin()
        admin.server.desk = nil
        let answer = try #require(try admin.ask("GET", "/v1/status"))
        #expect(answer.status == 503)
        #expect(answer.head.contains("content-type: application/problem+json"))
    }

    @Test(
        "Bytes that are no request are answered, and the connection ends",
        arguments: [
            ("garbage\r\n\r\n", 400), ("GET /v1/status HTTP/1.1\r\n\r\n", 400),
            ("GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("POST /v1/drain HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST /v1/revocations HTTP/1.1\r\nHost: a\r\nContent-Length: 65537\r\n\r\n", 413),
            ("GET /v1/status HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 20000))\r\n\r\n", 431),
        ])
    func malformed(_ bytes: String, _ status: Int) throws {
        let admin = try TrialAdmin()
        let connection = try admin.connect()
        try connection.send(bytes)
        #expect(try connection.answer()?.status == status)
        #expect(try connection.sawEnd())
        #expect(admin.desk.requests.isEmpty)
    }

    @Test("The largest content is taken, one byte more is not")
    func largestContent() throws {
        let admin = try TrialAdmin()
        let bare = #"{"level":"agent","value":"a"}"#
        func padded(to count: Int) -> String { bare + String(repeating: " ", count: count - bare.utf8.count) }
        #expect(try admin.ask("POST", "/v1/revocations", padded(to: 65536))?.status == 204)
        #expect(try admin.ask("POST", "/v1/revocations", padded(to: 65537))?.status == 413)
    }

    @Test("Silent connections do not keep an operator out")
    func crowd() throws {
        let admin = try TrialAdmin()
        var silent: [TrialOperator] = []
        for _ in 0..<70 {
            silent.append(try admin.connect())
            try admin.turn()
        }
        #expect(try admin.ask("GET", "/v1/status")?.status == 204)
        #expect(try silent[0].sawEnd())
    }

    // MARK: The socket

    private static func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("The socket has the mode that was asked for, and its new folder is its owner's", arguments: [0o600, 0o660])
    func permissions(_ mode: UInt32) throws {
        let admin = try TrialAdmin(mode: mode)
        #expect(try Self.mode(admin.path) == Int(mode))
        #expect(try Self.mode(URL(fileURLWithPath: admin.path).deletingLastPathComponent().path) == 0o700)
    }

    @Test("A reload can change the mode, and sends those away who came by the old one")
    func modeChange() throws {
        let admin = try TrialAdmin()
        let connection = try admin.connect()
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer()?.status == 204)
        try admin.server.adopt(.unix(path: admin.path, mode: 0o600))
        try connection.send(TrialAdmin.request("GET", "/v1/status"))
        #expect(try connection.answer()?.status == 204)
        try admin.server.adopt(.unix(path: admin.path, mode: 0o660))
        #expect(try Self.mode(admin.path) == 0o660)
        #expect(try connection.sawEnd())
        #expect(try admin.ask("GET", "/v1/status")?.status == 204)
    }

    @Test("A socket that nobody listens on any more is replaced")
    func stale() throws {
        let admin = try TrialAdmin { path in
            try FileManager.default.createDirectory(
                atPath: URL(fileURLWithPath: path).deletingLastPathComponent().path, withIntermediateDirectories: true)
            let left = try ListeningSocket(.unix(path))
            _ = consume left
        }
        #expect(try admin.ask("GET", "/v1/status")?.status == 204)
    }

    @Test("A socket that is listened on stays whose it is")
    func taken() throws {
        let first = try TrialAdmin()
        var poller = try Poller()
        #expect(throws: GatewayError.self) {
            try AdminServer(
                configuration: .unix(path: first.path, mode: 0o600), poller: poller,
                logger: .init(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }
        #expect(try poller.wait(timeout: 0) == 0)
        #expect(try first.ask("GET", "/v1/status")?.status == 204)
    }

    @Test("A file that is no socket is never removed")
    func file() throws {
        var place = ""
        #expect(throws: GatewayError.self) {
            _ = try TrialAdmin { path in
                place = path
                let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
                try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
                try Data("precious".utf8).write(to: URL(fileURLWithPath: path))
            }
        }
        #expect(FileManager.default.contents(atPath: place) == Data("precious".utf8))
        try FileManager.default.removeItem(
            at: URL(fileURLWithPath: place).deletingLastPathComponent().deletingLastPathComponent())
    }

    @Test("The socket goes with the server")
    func stop() throws {
        let admin = try TrialAdmin()
        let connection = try admin.connect()
        try admin.turn()
        admin.server.stop()
        #expect(!FileManager.default.fileExists(atPath: admin.path))
        #expect(try connection.sawEnd())
    }

    @Test("Its keys are no other endpoint's")
    func keys() {
        var others = SlotMap<TrialDesk>()
        #expect(!AdminServer.owns(others.insert(TrialDesk())))
        #expect(!AdminServer.owns(SlotKey(rawValue: 3)))
        #expect(AdminServer.owns(SlotKey(rawValue: 1 << 32 | 1 << 31 | 5)))
    }
}
