import Bytes
import Testing

@testable import Control

@Suite("Retriever")
struct RetrieverTests {
    private static let okay = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"

    private let authority: TrialAuthority
    private let client: TrialRetriever

    init() throws {
        authority = try TrialAuthority.shared.get()
        client = try TrialRetriever()
    }

    private func server(_ handler: @escaping TrialServer.Handler) throws -> TrialServer {
        try TrialServer(.tls(authority.identity()), handler)
    }

    private func request(
        _ server: TrialServer, host: String = "localhost", path: String = "/keys",
        method: OutgoingRequest.Method = .get,
        fields: [(name: String, value: String)] = [], body: [UInt8] = [], timeout: Interval = .seconds(30),
        limit: Int = 1024
    ) -> OutgoingRequest {
        OutgoingRequest(
            url: "https://\(host):\(server.port)\(path)", method: method, fields: fields, body: body,
            authorityFile: authority.file, timeout: timeout, responseLimit: limit)
    }

    // MARK: Requests and answers

    @Test("A request is sent as it was made, and its answer comes whole")
    func fetches() async throws {
        let server = try server { _ in
            .send(
                "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nCache-Control: max-age=60\r\ncache-control:  public \r\n"
                    + "X-Empty:\r\nContent-Length: 5\r\n\r\nhello")
        }
        let fields = [(name: "accept", value: "application/json"), ("if-none-match", "\"v0\""), ("x-none", "")]
        let answer = try await client.fetch(request(server, path: "/a/../keys?x=1", fields: fields)).get()
        #expect(answer.status == 200)
        #expect(String(decoding: answer.body, as: UTF8.self) == "hello")
        #expect(
            answer.fields == [
                "etag": "\"v1\"", "cache-control": "max-age=60, public", "x-empty": "", "content-length": "5",
            ])
        let received = try #require(server.requests.first)
        #expect(received.line == "GET /a/../keys?x=1 HTTP/1.1")
        #expect(received.value(of: "host") == "localhost:\(server.port)")
        #expect(received.value(of: "accept") == "application/json")
        #expect(received.value(of: "if-none-match") == "\"v0\"")
        #expect(received.value(of: "x-none") == "")
        #expect(received.value(of: "user-agent") == "sallyport")
        #expect(received.value(of: "accept-encoding") == nil)
        #expect(received.body == "")
    }

    @Test("A POST carries its body", arguments: ["token=a%20b", ""])
    func posts(body: String) async throws {
        let server = try server { _ in .send(Self.okay) }
        let fields = [(name: "content-type", value: "text/plain")]
        let answer = await client.fetch(request(server, method: .post, fields: fields, body: Array(body.utf8)))
        #expect(answer.success?.status == 200)
        let received = try #require(server.requests.first)
        #expect(received.line == "POST /keys HTTP/1.1")
        #expect(received.value(of: "content-type") == "text/plain")
        #expect(received.value(of: "content-length") == "\(body.utf8.count)")
        #expect(received.body == body)
    }

    @Test("Other statuses are answers too", arguments: [304, 401, 404, 503])
    func tellsStatus(status: Int) async throws {
        let server = try server { _ in .send("HTTP/1.1 \(status) X\r\ncontent-length: 0\r\n\r\n") }
        #expect(await client.fetch(request(server)).success?.status == status)
    }

    @Test("An interim answer leaves nothing behind")
    func skipsInterim() async throws {
        let server = try server { _ in .send("HTTP/1.1 103 Early Hints\r\netag: \"early\"\r\n\r\n" + Self.okay) }
        let answer = try await client.fetch(request(server)).get()
        #expect(answer.status == 200)
        #expect(answer.fields == ["content-length": "2"])
    }

    @Test("Trailer fields are not taken for fields")
    func dropsTrailers() async throws {
        let server = try server { _ in
            .send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\netag: \"late\"\r\n\r\n")
        }
        let answer = try await client.fetch(request(server)).get()
        #expect(String(decoding: answer.body, as: UTF8.self) == "hi")
        #expect(answer.fields["etag"] == nil)
    }

    @Test("A connection serves again, and no cookie is kept")
    func keepsConnection() async throws {
        let server = try server { _ in .send("HTTP/1.1 200 OK\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n") }
        _ = try await client.fetch(request(server)).get()
        _ = try await client.fetch(request(server)).get()
        #expect(server.requests.map(\.connection) == [1, 1])
        #expect(server.requests.last?.value(of: "cookie") == nil)
    }

    @Test("TLS 1.2 and 1.3 are offered and nothing older, HTTP/2 before HTTP/1.1")
    func offersModernTLS() async throws {
        let server = try TrialServer(.captured) { _ in .nothing }
        _ = await client.fetch(request(server))
        let hello = server.firstBytes
        // Extensions supported_versions (RFC 8446 §4.2.1) and ALPN (RFC 7301 §3.1).
        #expect(hello.contains([0x00, 0x2B, 0x00, 0x05, 0x04, 0x03, 0x04, 0x03, 0x03]))
        #expect(hello.contains([0x00, 0x0C, 0x02] + Array("h2".utf8) + [0x08] + Array("http/1.1".utf8)))
    }

    // MARK: Whom to believe

    @Test("A server whom another authority vouches for is not believed")
    func refusesOtherAuthority() async throws {
        let other = try TrialAuthority()
        let server = try TrialServer(.tls(other.identity())) { _ in .send(Self.okay) }
        #expect(FailureKind(await client.fetch(request(server))) == .untrusted)
        let twin = OutgoingRequest(
            url: "https://localhost:\(server.port)/", authorityFile: other.file, timeout: .seconds(30),
            responseLimit: 10)
        #expect(await client.fetch(twin).success?.status == 200)
        #expect(server.requests.count == 1)
    }

    @Test("Without a file only the system's authorities count")
    func refusesUnknownAuthority() async throws {
        let server = try server { _ in .send(Self.okay) }
        let plain = OutgoingRequest(
            url: "https://localhost:\(server.port)/", timeout: .seconds(30), responseLimit: 10)
        #expect(FailureKind(await client.fetch(plain)) == .untrusted)
        // Not even over the connection that a request with the file has left open.
        #expect(await client.fetch(request(server)).success?.status == 200)
        #expect(FailureKind(await client.fetch(plain)) == .untrusted)
        #expect(server.requests.count == 1)
    }

    @Test("A file of authorities that is not there is no licence")
    func refusesMissingFile() async throws {
        let server = try server { _ in .send(Self.okay) }
        let request = OutgoingRequest(
            url: "https://localhost:\(server.port)/", authorityFile: authority.file + ".missing",
            timeout: .seconds(30), responseLimit: 10)
        #expect(FailureKind(await client.fetch(request)) == .untrusted)
        #expect(server.requests.isEmpty)
    }

    @Test("A certificate for another name is not believed", arguments: [("localhost", true), ("127.0.0.1", false)])
    func checksName(host: String, isBelieved: Bool) async throws {
        let server = try server { _ in .send(Self.okay) }
        let result = await client.fetch(request(server, host: host))
        #expect(FailureKind(result) == (isBelieved ? nil : .untrusted))
        #expect(server.requests.count == (isBelieved ? 1 : 0))
    }

    @Test(
        "A certificate whose time is over is not believed", arguments: [(1_600_000_000, false), (2_524_608_000, true)])
    func checksValidity(end: Int64, isBelieved: Bool) async throws {
        let identity = try authority.identity(until: UnixTime(seconds: end))
        let server = try TrialServer(.tls(identity)) { _ in .send(Self.okay) }
        #expect(FailureKind(await client.fetch(request(server))) == (isBelieved ? nil : .untrusted))
    }

    // MARK: Where not to go

    @Test("A redirect is an answer, and nobody follows it", arguments: [301, 302, 303, 307, 308])
    func followsNoRedirect(status: Int) async throws {
        let elsewhere = try server { _ in .send(Self.okay) }
        let target = "https://localhost:\(elsewhere.port)/"
        let server = try server { _ in
            .send("HTTP/1.1 \(status) Moved\r\nlocation: \(target)\r\ncontent-length: 0\r\n\r\n")
        }
        let answer = try await client.fetch(request(server)).get()
        #expect(answer.status == status)
        #expect(answer.fields["location"] == target)
        #expect(elsewhere.requests.isEmpty)
        // It could have been followed.
        #expect(await client.fetch(request(elsewhere)).success?.status == 200)
    }

    @Test(
        "Only https is spoken",
        arguments: [
            "file:///etc/passwd", "http://localhost:PORT/", "ftp://localhost:PORT/", "gopher://localhost:PORT/",
            "dict://localhost:PORT/", "scp://localhost:PORT/", "localhost:PORT/", "//localhost:PORT/", "/etc/passwd",
            "",
            "https://", "https:///keys", "https:localhost:PORT/", "https://user@localhost:PORT/",
            "https://user:password@localhost:PORT/", "https://localhost:PORT/a b", "https://localhost:PORT/\r\nx: y",
            "https://localhost:PORT\\@example.org/", "https://localhost:PORT/\u{0}", "https://localhost:PORT/é",
            " https://localhost:PORT/",
        ])
    func refusesURL(url: String) async throws {
        let server = try server { _ in .send(Self.okay) }
        let request = OutgoingRequest(
            url: url.replacing("PORT", with: "\(server.port)"), authorityFile: authority.file, timeout: .seconds(30),
            responseLimit: 10)
        #expect(FailureKind(await client.fetch(request)) == .request)
        #expect(server.requests.isEmpty)
    }

    @Test("The scheme's case does not matter")
    func takesUpperCase() async throws {
        let server = try server { _ in .send(Self.okay) }
        let request = OutgoingRequest(
            url: "HTTPS://LOCALHOST:\(server.port)", authorityFile: authority.file, timeout: .seconds(30),
            responseLimit: 10)
        #expect(await client.fetch(request).success?.status == 200)
    }

    @Test("Plain HTTP is spoken where the request says so, and nothing else then", arguments: [true, false])
    func speaksPlainHTTP(isAllowed: Bool) async throws {
        let server = try TrialServer(.plain) { _ in .send(Self.okay) }
        let request = OutgoingRequest(
            url: "http://localhost:\(server.port)/", timeout: .seconds(30), responseLimit: 10,
            dangerouslyAllowsPlainHTTP: isAllowed)
        #expect(FailureKind(await client.fetch(request)) == (isAllowed ? nil : .request))
        #expect(server.requests.count == (isAllowed ? 1 : 0))
        let file = OutgoingRequest(
            url: "file:///etc/passwd", timeout: .seconds(30), responseLimit: 1 << 20,
            dangerouslyAllowsPlainHTTP: isAllowed)
        #expect(FailureKind(await client.fetch(file)) == .request)
    }

    @Test(
        "A field cannot smuggle another one",
        arguments: [("a", "b\r\nc: d"), ("a\r\nb", "c"), ("a: b", "c"), ("", "c"), ("a", "b\nc"), ("a", "b\u{0}c")])
    func refusesField(name: String, value: String) async throws {
        let server = try server { _ in .send(Self.okay) }
        #expect(FailureKind(await client.fetch(request(server, fields: [(name, value)]))) == .request)
        #expect(await client.fetch(request(server, fields: [("a", "b c: d")])).success?.status == 200)
    }

    // MARK: Bounds

    @Test(
        "A body may be as large as its limit and no larger",
        arguments: [(1024, true), (1025, false), (200_000, false)], [true, false])
    func boundsBody(size: (count: Int, isTaken: Bool), isChunked: Bool) async throws {
        let content = String(repeating: "x", count: size.count)
        let head =
            isChunked
            ? "transfer-encoding: chunked\r\n\r\n\(String(size.count, radix: 16))\r\n\(content)\r\n0\r\n\r\n"
            : "content-length: \(size.count)\r\n\r\n\(content)"
        let server = try server { _ in .send("HTTP/1.1 200 OK\r\n" + head) }
        let result = await client.fetch(request(server, limit: 1024))
        #expect(result.success?.body.count == (size.isTaken ? size.count : nil))
        #expect(result.failure == (size.isTaken ? nil : .tooLarge))
    }

    @Test("A head may not be endless", arguments: [(60, true), (66, false)])
    func boundsHead(kilobytes: Int, isTaken: Bool) async throws {
        let line = "x-long: \(String(repeating: "x", count: 1014))\r\n"
        let server = try server { _ in
            .send("HTTP/1.1 200 OK\r\n\(String(repeating: line, count: kilobytes))content-length: 0\r\n\r\n")
        }
        #expect(await client.fetch(request(server)).failure == (isTaken ? nil : .tooLarge))
    }

    @Test("A server that is silent is given up on")
    func timesOut() async throws {
        let server = try server { _ in .nothing }
        #expect(await client.fetch(request(server, timeout: .milliseconds(300))).failure == .timedOut)
    }

    @Test("A server that stops in the middle of its answer is given up on")
    func timesOutWithinAnswer() async throws {
        let server = try server { _ in .send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf") }
        #expect(await client.fetch(request(server, timeout: .milliseconds(300))).failure == .timedOut)
    }

    @Test(
        "An answer that breaks off is no answer",
        arguments: [
            "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", "HTTP/1.1 200 OK\r\ncontent-le", "",
        ])
    func refusesBrokenAnswer(text: String) async throws {
        let server = try server { _ in .sendAndEnd(text) }
        #expect(FailureKind(await client.fetch(request(server))) == .connection)
    }

    @Test("What is not HTTP is no answer", arguments: ["SSH-2.0-x\r\n", "{\"keys\":[]}", "HTTP/0.9 what\r\n\r\n"])
    func refusesOtherProtocols(text: String) async throws {
        let server = try server { _ in .sendAndEnd(text) }
        #expect(FailureKind(await client.fetch(request(server))) == .connection)
    }

    @Test("Nobody listening is told at once")
    func refusedConnection() async throws {
        let server = try server { _ in .send(Self.okay) }
        server.kill()
        #expect(FailureKind(await client.fetch(request(server))) == .connection)
    }

    // MARK: Many at once

    @Test("A server that dies in the middle of many requests fails each of them once, and the client lives on")
    func survivesDeath() async throws {
        let server = try server { _ in .send("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n{\"keys\": [") }
        let (client, wanted) = (client, request(server, limit: 1 << 20))
        let kinds = await withTaskGroup(of: FailureKind?.self) { group in
            for _ in 0..<100 { group.addTask { FailureKind(await client.fetch(wanted)) } }
            group.addTask {
                // Once some are under way, without waiting longer than that takes.
                while server.requests.isEmpty { await Task.yield() }
                server.kill()
                return .connection
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(kinds == Array(repeating: .connection, count: 101))
        let next = try self.server { _ in .send(Self.okay) }
        #expect(await client.fetch(request(next)).success?.status == 200)
    }

    @Test("An endpoint that hangs does not keep others from being asked")
    func sharesPlaces() async throws {
        let hanging = try server { _ in .nothing }
        let server = try server { _ in .send(Self.okay) }
        let outcomes = Outcomes()
        for _ in 0..<TransferLoop.places * 2 { client.retriever.fetch(request(hanging)) { outcomes.add($0) } }
        #expect(await client.fetch(request(server)).success?.status == 200)
        #expect(hanging.requests.count <= TransferLoop.placesAnOrigin)
        client.retriever.stop()
        #expect(outcomes.count(of: .stopped) + outcomes.count(of: .timedOut) == TransferLoop.places * 2)
    }

    @Test("Waiting for a place counts as waiting")
    func timesOutWaiting() async throws {
        let hanging = try server { _ in .nothing }
        for _ in 0..<TransferLoop.placesAnOrigin { client.retriever.fetch(request(hanging)) { _ in } }
        #expect(await client.fetch(request(hanging, timeout: .milliseconds(200))).failure == .timedOut)
        #expect(hanging.requests.count <= TransferLoop.placesAnOrigin)
    }

    @Test("What finds no room is refused, and the rest is served")
    func boundsWaiting() async throws {
        let server = try server { _ in .send(Self.okay) }
        let late = try TrialRetriever(isStarted: false)
        let outcomes = Outcomes()
        let room = TransferLoop.waitingRoom / 4
        for _ in 0..<room + 5 { late.retriever.fetch(request(server)) { outcomes.add($0) } }
        try late.retriever.start()
        await outcomes.reach(room + 5)
        #expect(outcomes.count(of: .overloaded) == 5)
        #expect(outcomes.count(of: nil) == room)
    }

    // MARK: The end

    @Test("Stopping fails what is under way and what waits, once each")
    func stops() async throws {
        let server = try server { _ in .nothing }
        let outcomes = Outcomes()
        for _ in 0..<40 { client.retriever.fetch(request(server)) { outcomes.add($0) } }
        client.retriever.stop()
        #expect(outcomes.count == 40)
        #expect(outcomes.count(of: .stopped) == 40)
        client.retriever.stop()
        #expect(outcomes.count == 40)
        #expect(await client.fetch(request(server)).failure == .stopped)
    }

    @Test("Stopping what was never started fails what waits")
    func stopsUnstarted() async throws {
        let server = try server { _ in .send(Self.okay) }
        let late = try TrialRetriever(isStarted: false)
        let outcomes = Outcomes()
        late.retriever.fetch(request(server)) { outcomes.add($0) }
        #expect(outcomes.count == 0)
        late.retriever.stop()
        #expect(outcomes.count(of: .stopped) == 1)
    }

    @Test("A completion may ask again, and may stop the client")
    func reentersFromCompletion() async throws {
        let server = try server { _ in .send(Self.okay) }
        let (retriever, wanted) = (client.retriever, request(server))
        let results = await withCheckedContinuation { continuation in
            retriever.fetch(wanted) { first in
                retriever.fetch(wanted) { second in
                    retriever.stop()
                    retriever.fetch(wanted) { third in continuation.resume(returning: [first, second, third]) }
                }
            }
        }
        #expect(results.map(\.failure) == [nil, nil, .stopped])
    }
}
