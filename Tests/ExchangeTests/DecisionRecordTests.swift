import Audit
import Bytes
import Cryptography
import HTTP
import Identity
import JSON
import Policy
import Possession
import Support
import Testing

@testable import Exchange

/// A line of the log: its text, and its members in their order, each value as written.
private struct Line {
    var text = ""
    var members: [(name: String, value: String)] = []

    var names: [String] { members.map(\.name) }
    func callAsFunction(_ name: String) -> String? { members.first { $0.name == name }?.value }
}

/// A record with what it is about.
private struct Recorded {
    let line: Line
    let denial: Denial?
    let byteCount: Int
    let overhead: Int
}

@Suite("The record of a decision")
struct DecisionRecordTests {
    private static let time = UnixTime(nanoseconds: 1_800_000_000_123_456_789)
    /// The SHA-256 of nothing.
    private static let emptyDigest =
        Digest256(hexadecimal: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".utf8.span) ?? .zero
    private static let known = #""2027-01-15T08:00:00.123456Z""#

    /// The line that the log makes of a record, read by a parser that refuses duplicate members.
    private func line(_ record: borrowing AuditRecord) throws -> Line {
        var chain = AuditChain(engine: try CryptographicEngine())
        var bytes = ByteQueue()
        chain.append(record, to: &bytes)
        let document = try JSONDocument(bytes.readable)
        var line = Line(text: text(bytes))
        var members = document.root.members
        while let member = members.next() { line.members.append((text(member.name), text(member.value.raw))) }
        return line
    }

    private func completion(
        status: UInt16 = 200, bytesIn: UInt64 = 0, bytesOut: UInt64 = 0, duration: Interval = .zero,
        reason: String? = nil
    ) -> Completion {
        Completion(
            status: status, bytesIn: bytesIn, bytesOut: bytesOut, requestDigest: .zero,
            responseDigest: Self.emptyDigest,
            duration: duration, reason: reason)
    }

    /// The record of a request that was judged.
    private func record(
        _ target: String = "/orders/7?q=hidden-query", fields: [(String, String)] = [],
        authority: String = Trial.authority, claims: [String: String?]? = [:], peer: VerifiedPeer?? = nil,
        completion: Completion? = nil, route: Route? = nil
    ) throws -> Recorded {
        let trial = try Trial.standard()
        let connection = trial.connection(peer: peer ?? trial.peer)
        let token = try claims.map { [("Authorization", "Bearer \(try trial.token($0))")] } ?? []
        var exchange = Trial.exchange("GET", target, authority: authority, fields + token)
        var denial: Denial?
        do {
            _ = try trial.judge(&exchange, from: connection, under: trial.snapshot(route))
        } catch let error as Denial {
            denial = error
        }
        var record = AuditRecord()
        if let completion {
            exchange.write(&record, completion: completion, connection: connection, time: Self.time)
        } else {
            exchange.write(&record, denial: denial, connection: connection, time: Self.time)
        }
        return Recorded(
            line: try line(record), denial: denial, byteCount: record.byteCount, overhead: exchange.completionOverhead)
    }

    @Test("An allowed request is told of in full, its members in the order of their names")
    func allowed() throws {
        let trial = try Trial.standard()
        let allowed = try record(claims: [
            "task_id": #""task""#, "orchestration_id": #""orchestration""#, "sponsor": #""søster""#,
        ])
        #expect(allowed.denial == nil)
        #expect(
            allowed.line.members.map { "\($0)=\($1)" } == [
                "agent=\"\(Broker.subject)\"", "certificate=\"\(trial.peer.certificate.fingerprint.hexadecimal)\"",
                #"event="request.allowed""#, "issuer=\"\(Broker.issuer)\"", #"listener="agents""#, #"method="GET""#,
                #"orchestration="orchestration""#, #"path="/orders/7""#, #"peer="192.0.2.1:51234""#,
                #"possession="certificate""#, "prev=\"\(String(repeating: "0", count: 64))\"",
                "request_id=\"\(Trial.identifierText)\"", #"route="read-order""#, #"scope="read:orders:7""#, "seq=1",
                #"sponsor="søster""#, #"task="task""#, "time=\(Self.known)", #"token_id="t-1""#,
                #"trace_id="000000000000000a000000000000000b""#,
            ])
    }

    @Test("A completed request tells how it ended as well")
    func completed() throws {
        let completion = completion(
            status: 502, bytesIn: 1, bytesOut: .max, duration: Interval(nanoseconds: 1_234_567),
            reason: "upstream.reset")
        let line = try record(completion: completion).line
        #expect(line("event") == #""request.completed""#)
        #expect(line("status") == "502")
        #expect(line("bytes_in") == "1")
        #expect(line("bytes_out") == "18446744073709551615")
        #expect(line("duration_us") == "1234")
        #expect(line("reason") == #""upstream.reset""#)
        #expect(line("upstream") == #""orders""#)
        #expect(line("request_sha256") == "\"\(String(repeating: "0", count: 64))\"")
        #expect(line("response_sha256") == "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"")
        #expect(line("request_id") == "\"\(Trial.identifierText)\"")
        #expect(line.names == line.names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        let other = try record(completion: self.completion(duration: Interval(nanoseconds: -5))).line
        #expect(other("reason") == nil)
        #expect(other("duration_us") == "0")
    }

    @Test("The room that is kept for the last record is enough for it")
    func overhead() throws {
        let completion = completion(
            status: 599, bytesIn: .max, bytesOut: .max, duration: Interval(nanoseconds: .max),
            reason: "malformed.transfer-encoding")
        // The longest name that a configuration may give, every byte of it escaped.
        let plain = try Trial.route()
        let route = Route(
            name: plain.name, match: plain.match, requirement: plain.requirement, forwarding: plain.forwarding,
            upstream: String(repeating: "\"", count: 128))
        let decided = try record(route: route)
        let ended = try record(completion: completion, route: route)
        #expect(ended.byteCount > decided.byteCount + 256)
        #expect(ended.byteCount <= decided.byteCount + decided.overhead)
    }

    @Test("A denied request tells why, and what was established until then")
    func denied() throws {
        let scope = try record("/orders/8")
        #expect(scope.denial?.code == .insufficientScope)
        #expect(scope.line("event") == #""request.denied""#)
        #expect(scope.line("reason") == #""policy.scope""#)
        #expect(scope.line("route") == #""read-order""#)
        #expect(scope.line("token_id") == #""t-1""#)
        #expect(scope.line("possession") == #""certificate,svid""#)
        #expect(scope.line("scope") == nil)

        let token = try record(claims: nil)
        #expect(token.line("reason") == #""credentials.missing""#)
        #expect(token.line("agent") == "\"\(Broker.subject)\"")
        #expect(token.line("route") == #""read-order""#)
        for name in ["issuer", "token_id", "possession", "scope"] { #expect(token.line(name) == nil) }

        let nobody = try record(claims: nil, peer: .some(nil))
        for name in ["agent", "certificate"] { #expect(nobody.line(name) == nil) }

        let route = try record("/nothing")
        #expect(route.line("reason") == #""route.none""#)
        #expect(route.line("path") == #""/nothing""#)
        #expect(route.line("route") == nil)
    }

    @Test("The agent is who holds the certificate, until the token is proven to be its bearer's")
    func agent() throws {
        let owner = "spiffe://example.test/agent/owner"
        let stolen = try record(claims: ["sub": "\"\(owner)\""])
        #expect(stolen.line("reason") == #""possession.subject-mismatch""#)
        #expect(stolen.line("agent") == "\"\(Broker.subject)\"")
        #expect(stolen.line("possession") == nil)
        let unheld = try record(claims: ["sub": "\"\(owner)\""], peer: .some(nil))
        #expect(unheld.line("reason") == #""possession.certificate-missing""#)
        #expect(unheld.line("agent") == "\"\(owner)\"")
        let route = try Trial.route(allowsSubjectMismatch: true)
        #expect(try record(claims: ["sub": "\"\(owner)\""], route: route).line("agent") == "\"\(owner)\"")
    }

    @Test(
        "No record holds a token, a proof, a query or any other field",
        arguments: [
            "/orders/7?q=hidden-query", "/orders/8?hidden-query", "/nothing?hidden-query", "/a//b?hidden-query",
            "/orders/7?access_token=hidden-query", "/a%2Fb?hidden-query", "/a b?hidden-query#hidden",
            "/orders/7#access_token=hidden-query", "*?hidden-query", "?hidden-query", "#hidden",
        ])
    func nothingSecret(target: String) throws {
        let trial = try Trial.standard()
        let fields = [("DPoP", "hidden-proof"), ("Cookie", "hidden-cookie"), ("X-Other", "hidden-field")]
        for completion in [nil, completion()] {
            let line = try record(target, fields: fields, completion: completion).line
            #expect(!line.text.contains("hidden"))
            #expect(!line.text.contains("?") && !line.text.contains("#"))
            for part in try trial.token().split(separator: ".") { #expect(!line.text.contains(part)) }
        }
    }

    @Test("The path is the normalised one; where there is none, what came, and not all of it")
    func path() throws {
        #expect(try record("/x/../orders/%37").line("path") == #""/orders/7""#)
        #expect(try record("/a%2Fb?c").line("path") == #""/a%2Fb""#)
        #expect(try record("*").line("path") == #""*""#)
        let long = "/" + String(repeating: "a", count: 600)
        #expect(try record(long).line("path") == "\"\(long)\"")
        #expect(try record("/\(long)").line("path") == "\"\("/\(long)".prefix(512))\"")
        #expect(try record("/;a\"b\u{1}").line("path") == #""/;a\"b\u0001""#)
    }

    @Test("A request whose head could not be taken is told of as far as it came")
    func refusedHead() throws {
        let connection = try Trial.standard().connection(peer: nil)
        var exchange = Exchange()
        exchange.begin(identifier: Trial.identifier, traceWords: (1, 1, 1), now: MonotonicTime(nanoseconds: 0))
        var record = AuditRecord()
        exchange.write(&record, denial: Denial(.framing), connection: connection, time: Self.time)
        let line = try line(record)
        #expect(line.names == ["event", "listener", "peer", "prev", "reason", "request_id", "seq", "time", "trace_id"])
        #expect(line("reason") == #""malformed.framing""#)
    }

    @Test("A record that is used again keeps nothing of the one before")
    func reused() throws {
        let connection = try Trial.standard().connection(peer: nil)
        var exchange = Trial.exchange("GET", "/a")
        var record = AuditRecord()
        exchange.write(&record, denial: Denial(.noRoute, "x"), connection: connection, time: Self.time)
        let first = try line(record).text
        exchange.write(&record, denial: Denial(.noRoute, "y"), connection: connection, time: Self.time)
        let second = try line(record)
        exchange.write(&record, denial: Denial(.noRoute, "x"), connection: connection, time: Self.time)
        let third = try line(record).text
        #expect(second("reason") == #""y""#)
        #expect(third == first)
    }
}
