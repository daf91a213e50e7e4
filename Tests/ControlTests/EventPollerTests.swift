import Bytes
import Cryptography
import Identity
import Revocation
import Support
import Testing
import Tokens

@testable import Control

/// A transmitter that is asked, and a clock that is set by hand.
struct TrialPoller {
    static let endpoint = PollEndpoint(
        url: "https://signals.example.test/poll", audience: TrialFeed.audience,
        authorization: ClientSecret(Array("Bearer b".utf8)), pollInterval: .seconds(5))

    var time = TrialClock()
    var poller: EventPoller
    private let engine: CryptographicEngine

    init(_ endpoint: PollEndpoint = endpoint, staleness: Interval = .seconds(30)) throws {
        engine = try CryptographicEngine()
        poller = EventPoller(feed: "signals", endpoint: endpoint, staleness: staleness, now: time.now.monotonic)
    }

    mutating func due() -> FeedFetch? { poller.due(at: time.now.monotonic) }

    mutating func complete(
        _ fetch: FeedFetch, _ result: Result<IncomingResponse, RetrievalError>, by broker: Broker? = nil
    ) throws -> PollReading? {
        let terms = try TrialFeed.terms(broker)
        return poller.completed(
            FeedAnswer(fetch: fetch, result: result), by: terms, engine: engine, at: time.now)
    }

    /// Asks what is to be asked now, and gives the question with what the answer brought.
    mutating func poll(
        _ result: Result<IncomingResponse, RetrievalError>, by broker: Broker? = nil
    ) throws -> (question: String, reading: PollReading) {
        let fetch = try #require(due())
        let reading = try #require(try complete(fetch, result, by: broker))
        return (String(decoding: fetch.request.body, as: UTF8.self), reading)
    }

    /// The question that is to be asked now.
    mutating func question() throws -> String {
        try String(decoding: #require(due()).request.body, as: UTF8.self)
    }

    /// Seconds from now to the next event.
    var pause: Double? {
        poller.nextDue.map { Double(($0 - time.now.monotonic).nanoseconds) / 1e9 }
    }
}

@Suite("EventPoller")
struct EventPollerTests {
    private static let plain = #"{"maxEvents":100,"returnImmediately":true}"#

    @Test("A transmitter is asked at once, with the authorization, and again in time")
    func empty() throws {
        var poller = try TrialPoller()
        let asked = poller.due()
        let fetch = try #require(asked)
        #expect(poller.due() == nil)
        #expect(fetch.feed == "signals")
        #expect(fetch.list == nil)
        #expect(fetch.request.method == .post)
        #expect(fetch.request.fields.contains { $0.name == "authorization" && $0.value == "Bearer b" })
        #expect(fetch.request.fields.contains { $0.name == "content-type" && $0.value == "application/json" })
        #expect(String(decoding: fetch.request.body, as: UTF8.self) == Self.plain)
        let reading = try #require(try poller.complete(fetch, TrialFeed.answer([])))
        #expect(reading == PollReading(revocations: [], notes: [], failure: nil))
        #expect(poller.pause == 5)
        #expect(poller.poller.intake.clock.age(at: poller.time.now.monotonic) == .zero)
    }

    @Test("What an event takes back is acknowledged once it is durable, and not before")
    func acknowledgement() throws {
        var poller = try TrialPoller()
        let (_, reading) = try poller.poll(TrialFeed.answer([("e-1", try TrialFeed.event("e-1"))]))
        #expect(reading.failure == nil)
        let revocation = try #require(reading.revocations.first)
        #expect(revocation.level == .agent)
        #expect(revocation.value == "agent-7")
        #expect(revocation.source == "feed:signals")
        #expect(revocation.by == Broker.issuer)
        #expect(revocation.reason == "session-revoked")
        #expect(revocation.createdAt == Broker.now)
        #expect(revocation.expiresAt > Broker.now)
        poller.time.seconds = 5
        #expect(poller.due() == nil)
        poller.poller.settled(at: poller.time.now.monotonic)
        #expect(try poller.question() == #"{"maxEvents":100,"returnImmediately":true,"ack":["e-1"]}"#)
        #expect(poller.poller.intake.count == 1)
    }

    @Test("What was told and not heard is told again")
    func repeated() throws {
        var poller = try TrialPoller()
        _ = try poller.poll(TrialFeed.answer([("e-1", try TrialFeed.event("e-1"))]))
        poller.poller.settled(at: poller.time.now.monotonic)
        let acknowledging = #"{"maxEvents":100,"returnImmediately":true,"ack":["e-1"]}"#
        let (question, _) = try poller.poll(.failure(.timedOut))
        #expect(question == acknowledging)
        poller.time.seconds = 1
        let (again, _) = try poller.poll(TrialFeed.answer([]))
        #expect(again == acknowledging)
        poller.time.seconds = 6
        #expect(try poller.question() == Self.plain)
    }

    @Test("An event that comes again after it was settled is acknowledged, and takes nothing back again")
    func seen() throws {
        var poller = try TrialPoller()
        let answer = TrialFeed.answer([("e-1", try TrialFeed.event("e-1"))])
        _ = try poller.poll(answer)
        poller.poller.settled(at: poller.time.now.monotonic)
        let (_, reading) = try poller.poll(answer)
        #expect(reading.revocations.isEmpty)
        poller.time.seconds = 1
        #expect(try poller.question().contains(#""ack":["e-1"]"#))
        #expect(poller.poller.intake.count == 1)
    }

    @Test("What does not become durable is asked for again, and counts then")
    func abandoned() throws {
        var poller = try TrialPoller()
        let answer = TrialFeed.answer([("e-1", try TrialFeed.event("e-1"))])
        _ = try poller.poll(answer)
        poller.poller.abandoned(at: poller.time.now.monotonic)
        #expect(poller.pause == 1)
        poller.time.seconds = 1
        let (question, reading) = try poller.poll(answer)
        #expect(question == Self.plain)
        #expect(reading.revocations.count == 1)
        // Nobody says what became of it.
        poller.time.seconds = 31
        #expect(try poller.question() == Self.plain)
    }

    @Test("An event that takes nothing back is acknowledged at once")
    func verification() throws {
        var poller = try TrialPoller()
        let token = try TrialFeed.event("e-1", "{\"\(TrialFeed.verification)\":{}}")
        let (_, reading) = try poller.poll(TrialFeed.answer([("e-1", token)]))
        #expect(reading == PollReading(revocations: [], notes: [], failure: nil))
        poller.time.seconds = 0.05
        #expect(try poller.question().contains(#""ack":["e-1"]"#))
    }

    @Test("An event that is refused is reported with its reason, beside others that are not")
    func refused() throws {
        var poller = try TrialPoller()
        let foreign = try TrialFeed.event("e-2", changing: ["aud": "\"urn:other\""])
        let (_, reading) = try poller.poll(
            TrialFeed.answer([("e-1", try TrialFeed.event("e-1")), ("e-2", foreign), ("e-3", "garbage")]))
        #expect(reading.revocations.map(\.value) == ["agent-7"])
        #expect(reading.failure != nil)
        #expect(!poller.poller.intake.clock.isStale(at: poller.time.now.monotonic))
        poller.poller.settled(at: poller.time.now.monotonic)
        #expect(
            try poller.question()
                == #"{"maxEvents":100,"returnImmediately":true,"ack":["e-1"],"setErrs":{"#
                + #""e-2":{"err":"invalid_audience","description":"its aud does not name us"},"#
                + #""e-3":{"err":"invalid_request","description":"its signature is refused: malformed"}}}"#)
    }

    @Test("An event under another name than its own is refused")
    func misnamed() throws {
        var poller = try TrialPoller()
        let (_, reading) = try poller.poll(TrialFeed.answer([("e-2", try TrialFeed.event("e-1"))]))
        #expect(reading.revocations.isEmpty)
        poller.time.seconds = 0.05
        #expect(try poller.question().contains(#""setErrs":{"e-2":{"err":"invalid_request""#))
    }

    @Test("What cannot be revoked as it is named is refused")
    func unnameable() throws {
        var poller = try TrialPoller()
        let token = try TrialFeed.event("e-1", about: "spiffe:nonsense")
        let (_, reading) = try poller.poll(TrialFeed.answer([("e-1", token)]))
        #expect(reading.revocations.isEmpty)
        poller.time.seconds = 0.05
        #expect(try poller.question().contains(#""setErrs":{"e-1":{"err":"invalid_request""#))
    }

    @Test("An event whose key is not known is neither acknowledged nor refused, and the feed becomes stale")
    func unknownKey() throws {
        var poller = try TrialPoller()
        let answer = TrialFeed.answer([("e-1", try TrialFeed.event("e-1", keyID: "k-2"))])
        let (_, reading) = try poller.poll(answer)
        #expect(reading.failure == "an event is refused: its signature is refused: key")
        #expect(poller.pause == 1)
        poller.time.seconds = 1
        let (question, _) = try poller.poll(answer)
        #expect(question == Self.plain)
        #expect(poller.poller.intake.clock.isStale(at: poller.time.now.monotonic))
    }

    @Test(
        "What is no answer is a failure, after which pauses double",
        arguments: [
            .failure(.timedOut), .success(IncomingResponse(status: 500)),
            .success(IncomingResponse(status: 200, body: Array("{}".utf8))),
        ] as [Result<IncomingResponse, RetrievalError>])
    func failures(result: Result<IncomingResponse, RetrievalError>) throws {
        var poller = try TrialPoller()
        for pause in [1.0, 2, 4, 5, 5] {
            let (_, reading) = try poller.poll(result)
            #expect(reading.failure != nil)
            #expect(poller.pause == pause)
            poller.time.seconds += pause
        }
        #expect(poller.poller.intake.clock.isStale(at: poller.time.now.monotonic))
        #expect(poller.poller.intake.lastFailure != nil)
        _ = try poller.poll(TrialFeed.answer([]))
        #expect(poller.poller.intake.lastFailure == nil)
        #expect(poller.pause == 5)
    }

    @Test("Where there is more, it is asked for soon, but not without any pause")
    func more() throws {
        var poller = try TrialPoller()
        let token = try TrialFeed.event("e-1", "{\"\(TrialFeed.verification)\":{}}")
        _ = try poller.poll(TrialFeed.answer([("e-1", token)], more: true))
        #expect(poller.pause == 0.05)
        poller.time.seconds = 1
        // A transmitter that promises more and has nothing is asked in its time.
        _ = try poller.poll(TrialFeed.answer([], more: true))
        #expect(poller.pause == 5)
    }

    @Test("A transmitter that may wait is given the time to")
    func longPoll() throws {
        let endpoint = PollEndpoint(
            url: TrialPoller.endpoint.url, audience: TrialFeed.audience, authorization: nil,
            pollInterval: .seconds(5), longPoll: .seconds(20))
        var poller = try TrialPoller(endpoint)
        let asked = poller.due()
        let fetch = try #require(asked)
        #expect(String(decoding: fetch.request.body, as: UTF8.self).contains(#""returnImmediately":false"#))
        #expect(fetch.request.timeout == .seconds(25))
        #expect(!fetch.request.fields.contains { $0.name == "authorization" })
        _ = try poller.complete(fetch, TrialFeed.answer([]))
        #expect(poller.pause == 0.05)
    }

    @Test("A stream that says it is interrupted is stale until it goes on")
    func interruption() throws {
        var poller = try TrialPoller()
        func token(_ name: String, _ status: String) throws -> String {
            try TrialFeed.event(name, "{\"\(TrialFeed.updated)\":{\"status\":\"\(status)\"}}")
        }
        let (_, reading) = try poller.poll(TrialFeed.answer([("e-1", try token("e-1", "paused"))]))
        #expect(reading.notes == ["the transmitter interrupts its stream"])
        #expect(poller.poller.intake.clock.isStale(at: poller.time.now.monotonic))
        #expect(poller.poller.change(at: poller.time.now.monotonic) == .stale)
        poller.time.seconds = 1
        _ = try poller.poll(TrialFeed.answer([("e-2", try token("e-2", "enabled"))]))
        #expect(poller.poller.change(at: poller.time.now.monotonic) == .recovered)
    }

    @Test("An answer that nobody waits for brings nothing")
    func ignored() throws {
        var poller = try TrialPoller()
        let asked = poller.due()
        let fetch = try #require(asked)
        _ = try poller.complete(fetch, TrialFeed.answer([]))
        #expect(try poller.complete(fetch, TrialFeed.answer([("e-1", try TrialFeed.event("e-1"))])) == nil)
    }
}
