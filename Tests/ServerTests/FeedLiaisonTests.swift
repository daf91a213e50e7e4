import Bytes
import Cryptography
import Logging
import Reactor
import Revocation
import Support
import Testing
import Tokens

@testable import Configuration
@testable import Control
@testable import Server

/// A liaison whose fetches are answered by hand: its retriever is never started.
private struct TrialLiaison {
    static let lists = "https://lists.example.test/lists/"
    let liaison: FeedLiaison

    init(_ feeds: [FeedConfiguration], logger: Logger? = nil) throws {
        let silent = Logger(label: "trial") { _ in SwiftLogNoOpLogHandler() }
        liaison = try FeedLiaison(mailbox: Mailbox(), logger: logger ?? silent)
        try configure(feeds)
    }

    func configure(_ feeds: [FeedConfiguration]) throws {
        liaison.configure(feeds, issuers: [try Broker.standard().issuer()], terms: .unlimited)
    }

    static func lists(name: String = "lists", denies: Bool = true) throws -> FeedConfiguration {
        let pattern = try #require(StatusListPattern(lists + "*"))
        return FeedConfiguration(
            name: name,
            kind: .statusList(StatusListLocation(pattern: pattern, refreshInterval: .seconds(15))),
            issuer: Broker.issuer, keys: .issuer, maximumStaleness: .seconds(30), deniesWhenStale: denies)
    }

    static func push(heartbeat: Interval? = .seconds(300)) -> FeedConfiguration {
        let endpoint = PushEndpoint(
            listener: "agents", path: "/events", audience: "urn:gateway", authorization: nil, heartbeat: heartbeat)
        return FeedConfiguration(
            name: "pushed", kind: .push(endpoint), issuer: Broker.issuer, keys: .issuer,
            maximumStaleness: .seconds(30), deniesWhenStale: true)
    }

    static func poll(url: String = "https://signals.example.test/poll") -> FeedConfiguration {
        let endpoint = PollEndpoint(
            url: url, audience: "urn:gateway", authorization: nil,
            pollInterval: .seconds(5))
        return FeedConfiguration(
            name: "polled", kind: .poll(endpoint), issuer: Broker.issuer, keys: .issuer,
            maximumStaleness: .seconds(30), deniesWhenStale: true)
    }

    static func event(_ name: String) throws -> [UInt8] {
        try Broker.standard().sign(
            header: #"{"alg":"ES256","typ":"secevent+jwt","kid":"k-1"}"#,
            payload: """
                {"iss":"\(Broker.issuer)","aud":"urn:gateway","iat":\(Clock.civil() / 1_000_000_000),"jti":"\(name)",\
                "sub_id":{"format":"opaque","id":"agent-7"},\
                "events":{"https://schemas.openid.net/secevent/caep/event-type/session-revoked":{}}}
                """)
    }

    /// Answers the first fetch of a feed.
    func answer(
        _ feed: String, list: String? = nil, number: UInt64 = 1, _ result: Result<IncomingResponse, RetrievalError>
    ) -> FeedNews {
        let request = OutgoingRequest(url: "https://a", timeout: .seconds(1), responseLimit: 1)
        return liaison.fetched(
            FeedAnswer(fetch: FeedFetch(feed: feed, list: list, request: request, number: number), result: result))
    }

    func deliver(_ body: [UInt8]) throws -> FeedNews {
        guard case .accepted(let news) = liaison.receive(body, feed: "pushed", authorization: nil) else {
            throw Refused()
        }
        return news
    }

    struct Refused: Error {}
}

@Suite("FeedLiaison")
struct FeedLiaisonTests {
    @Test("A delivery is news with a batch, and settled by it")
    func push() throws {
        let trial = try TrialLiaison([TrialLiaison.push()])
        let first = try trial.deliver(TrialLiaison.event("e-1"))
        #expect(first.revocations.map(\.value) == ["agent-7"])
        #expect(first.freshnessChanged)
        let batch = try #require(first.batch)
        let second = try trial.deliver(TrialLiaison.event("e-1"))
        #expect(second.batch == batch + 1)
        trial.liaison.settled(batch)
        let third = try trial.deliver(TrialLiaison.event("e-1"))
        #expect(third.batch == nil)
        #expect(third.revocations.isEmpty)
        #expect(trial.liaison.statuses.map(\.entries) == [1])
    }

    @Test("A delivery to no feed, or that is refused, says so")
    func refusal() throws {
        let trial = try TrialLiaison([TrialLiaison.push()])
        guard case .refused(404, _, _) = trial.liaison.receive([], feed: "other", authorization: nil) else {
            Issue.record("it is not refused")
            return
        }
        let verdict = trial.liaison.receive([], feed: "pushed", authorization: nil)
        guard case .refused(400, "invalid_request", _) = verdict else {
            Issue.record("it is not refused")
            return
        }
    }

    @Test("A feed of events is stale before it is heard, and its freshness is news")
    func freshness() throws {
        let trial = try TrialLiaison([TrialLiaison.push(), TrialLiaison.poll(), try TrialLiaison.lists()])
        #expect(trial.liaison.freshness.map(\.name) == ["pushed", "polled"])
        #expect(trial.liaison.freshness.allSatisfy { $0.freshUntil == nil && $0.deniesWhenStale })
        // Whoever publishes it must hear that nothing was heard.
        #expect(trial.liaison.delay == 0)
        #expect(trial.liaison.tick().freshnessChanged)
        #expect(trial.liaison.tick().freshnessChanged == false)
        #expect(trial.liaison.unreadiness == "the feed pushed is stale")
        #expect(trial.liaison.statuses.map(\.isStale) == [true, true, false])
        _ = try trial.deliver(TrialLiaison.event("e-1"))
        let news = trial.answer("polled", .success(IncomingResponse(status: 200, body: Array(#"{"sets":{}}"#.utf8))))
        #expect(news.freshnessChanged)
        #expect(trial.liaison.freshness.allSatisfy { $0.freshUntil != nil })
        #expect(trial.liaison.unreadiness == nil)
    }

    @Test("What was polled is news with a batch, and acknowledged when that is settled")
    func poll() throws {
        let trial = try TrialLiaison([TrialLiaison.poll()])
        let token = String(decoding: try TrialLiaison.event("e-1"), as: UTF8.self)
        let body = Array("{\"sets\":{\"e-1\":\"\(token)\"}}".utf8)
        let news = trial.answer("polled", .success(IncomingResponse(status: 200, body: body)))
        #expect(news.revocations.map(\.source) == ["feed:polled"])
        let batch = try #require(news.batch)
        trial.liaison.settled(batch + 1)
        #expect(trial.liaison.statuses.map(\.entries) == [0])
        trial.liaison.settled(batch)
        #expect(trial.liaison.statuses.map(\.entries) == [1])
    }

    @Test("A list that a token names is fetched, published, and then its askers are settled")
    func list() throws {
        let trial = try TrialLiaison([try TrialLiaison.lists()])
        let uri = TrialLiaison.lists + "1"
        let reference = StatusReference(uri: uri, index: 0)
        // Configuring tells of the lists.
        #expect(trial.liaison.delay == 0)
        let table = try #require(trial.liaison.tick().statusLists)
        #expect(table.status(of: reference, issuer: Broker.issuer, now: Broker.now) == .unknown(uri))
        #expect(trial.liaison.tick().isEmpty)
        trial.liaison.wants(list: uri, issuer: Broker.issuer)
        #expect(trial.liaison.tick().settledLists.isEmpty)
        let news = trial.answer("lists", list: uri, .failure(.timedOut))
        #expect(news.settledLists == [uri])
        #expect(
            news.statusLists?.status(of: reference, issuer: Broker.issuer, now: Broker.now) == .stale(feed: "lists"))
        trial.liaison.wants(list: uri, issuer: Broker.issuer)
        #expect(trial.liaison.tick().settledLists == [uri])
    }

    @Test("Whoever waits for a list while a reload takes its feed away is told, and asks another feed that has it")
    func reloadWhileFetching() throws {
        let trial = try TrialLiaison([try TrialLiaison.lists()])
        let uri = TrialLiaison.lists + "1"
        trial.liaison.wants(list: uri, issuer: Broker.issuer)
        #expect(trial.liaison.tick().settledLists.isEmpty)
        try trial.configure([try TrialLiaison.lists(name: "renamed")])
        #expect(trial.liaison.tick().settledLists.isEmpty)
        // The old fetch ends, and settles nothing: the new one is under way.
        #expect(trial.answer("lists", list: uri, .failure(.timedOut)).settledLists.isEmpty)
        let first = (1 << 32) + UInt64(1)
        #expect(trial.answer("renamed", list: uri, .failure(.timedOut)).settledLists.isEmpty)
        #expect(trial.answer("renamed", list: uri, number: first, .failure(.timedOut)).settledLists == [uri])
        trial.liaison.wants(list: TrialLiaison.lists + "2", issuer: Broker.issuer)
        try trial.configure([])
        #expect(trial.liaison.delay == 0)
        #expect(trial.liaison.tick().settledLists == [TrialLiaison.lists + "2"])
        #expect(trial.liaison.tick().settledLists.isEmpty)
    }

    @Test("The answer of a transmitter that a reload has replaced is not taken for that of the new one")
    func reloadWhilePolling() throws {
        let answer = Result<IncomingResponse, RetrievalError>.success(
            IncomingResponse(status: 200, body: Array(#"{"sets":{}}"#.utf8)))
        let trial = try TrialLiaison([TrialLiaison.poll()])
        try trial.configure([TrialLiaison.poll(url: "https://other.example.test/poll")])
        _ = trial.answer("polled", answer)
        #expect(trial.liaison.freshness.map(\.freshUntil) == [nil])
        _ = trial.answer("polled", number: (1 << 32) + 1, answer)
        #expect(trial.liaison.freshness.allSatisfy { $0.freshUntil != nil })
    }

    @Test("A list that is named for the first time does not make the gateway unready")
    func readiness() throws {
        let trial = try TrialLiaison([try TrialLiaison.lists()])
        trial.liaison.wants(list: TrialLiaison.lists + "1", issuer: Broker.issuer)
        #expect(trial.liaison.unreadiness == nil)
        _ = trial.answer("lists", list: TrialLiaison.lists + "1", .failure(.timedOut))
        #expect(trial.liaison.unreadiness == nil)
    }

    @Test("An event that says nothing new of a feed's freshness is no news of it")
    func repeated() throws {
        let trial = try TrialLiaison([TrialLiaison.push()])
        let event = try TrialLiaison.event("e-1")
        trial.liaison.settled(try #require(try trial.deliver(event).batch))
        #expect(try trial.deliver(event).freshnessChanged == false)
    }

    @Test("A list that no feed covers is settled at once")
    func foreignList() throws {
        let trial = try TrialLiaison([try TrialLiaison.lists()])
        _ = trial.liaison.tick()
        trial.liaison.wants(list: "https://evil.example/1", issuer: Broker.issuer)
        #expect(trial.liaison.delay == 0)
        #expect(trial.liaison.tick().settledLists == ["https://evil.example/1"])
        trial.liaison.wants(list: TrialLiaison.lists + "1", issuer: "https://other.example.test")
        #expect(trial.liaison.tick().settledLists == [TrialLiaison.lists + "1"])
    }

    @Test("A reload keeps what is known of feeds that stay, and forgets the others")
    func reload() throws {
        let trial = try TrialLiaison([TrialLiaison.push()])
        let batch = try #require(try trial.deliver(TrialLiaison.event("e-1")).batch)
        trial.liaison.settled(batch)
        try trial.configure([TrialLiaison.push(heartbeat: .seconds(60)), TrialLiaison.poll()])
        #expect(try trial.deliver(TrialLiaison.event("e-1")).batch == nil)
        try trial.configure([])
        #expect(trial.liaison.tick().freshnessChanged)
        #expect(trial.liaison.statuses.isEmpty)
        #expect(trial.liaison.freshness.isEmpty)
        #expect(trial.liaison.statusLists.isEmpty)
        try trial.configure([TrialLiaison.push()])
        #expect(try trial.deliver(TrialLiaison.event("e-1")).batch != nil)
    }

    @Test("Without the issuer's keys nothing is believed, until they come")
    func keys() throws {
        let trial = try TrialLiaison([TrialLiaison.push()])
        trial.liaison.adopt(issuers: [])
        #expect(throws: TrialLiaison.Refused.self) { try trial.deliver(TrialLiaison.event("e-1")) }
        trial.liaison.adopt(issuers: [try Broker.standard().issuer()])
        #expect(try trial.deliver(TrialLiaison.event("e-1")).batch != nil)
    }
}
