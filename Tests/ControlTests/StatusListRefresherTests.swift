import Bytes
import Cryptography
import Revocation
import Support
import Testing
import Tokens

@testable import Control

/// A feed of lists, and a clock that is set by hand.
struct TrialLists {
    var time = TrialClock()
    var refresher: StatusListRefresher
    private let engine: CryptographicEngine
    private let signer: FeedSigner

    init(
        _ pattern: String, every interval: Interval = .seconds(15), staleness: Interval = .seconds(30),
        deniesWhenStale: Bool = true
    ) throws {
        engine = try CryptographicEngine()
        signer = try TrialFeed.signer()
        let location = try Self.location(pattern, every: interval)
        refresher = StatusListRefresher(
            feed: "lists", location: location, staleness: staleness, deniesWhenStale: deniesWhenStale,
            now: time.now.monotonic)
    }

    static func location(_ pattern: String, every interval: Interval) throws -> StatusListLocation {
        let pattern = try #require(StatusListPattern(TrialFeed.lists + pattern))
        return StatusListLocation(pattern: pattern, refreshInterval: interval)
    }

    mutating func due() -> [FeedFetch] { refresher.due(at: time.now.monotonic) }

    mutating func forget() -> Bool { refresher.forget(at: time.now.monotonic) }

    mutating func want(_ name: String) -> StatusListAnswer {
        refresher.want(TrialFeed.lists + name, at: time.now.monotonic)
    }

    mutating func complete(
        _ fetch: FeedFetch, _ result: Result<IncomingResponse, RetrievalError>
    ) -> StatusListOutcome {
        complete(FeedAnswer(fetch: fetch, result: result))
    }

    mutating func complete(_ answer: FeedAnswer) -> StatusListOutcome {
        refresher.completed(answer, by: signer, engine: engine, at: time.now)
    }

    /// Makes the fetch that is due, with that result.
    mutating func refresh(_ result: Result<IncomingResponse, RetrievalError>) throws -> StatusListOutcome {
        let fetch = try #require(due().first)
        return complete(fetch, result)
    }

    /// What is known of a list: its first status, and how many seconds from the start on it counts.
    func known(_ name: String) -> (status: UInt8?, freshFor: Int64?)? {
        guard let known = refresher.known(at: time.now)[TrialFeed.lists + name] else { return nil }
        return (known.list?.status(at: 0), known.freshUntil.map { ($0 - TrialClock.start).seconds })
    }

    /// Seconds from now to the next event.
    var pause: Double? {
        refresher.nextDue.map { Double(($0 - time.now.monotonic).nanoseconds) / 1e9 }
    }
}

@Suite("StatusListRefresher")
struct StatusListRefresherTests {
    // MARK: One list

    @Test("A feed of one list fetches it at once, and again in time")
    func one() throws {
        var lists = try TrialLists("1")
        let fetch = try #require(lists.due().first)
        #expect(fetch.feed == "lists")
        #expect(fetch.list == TrialFeed.lists + "1")
        #expect(fetch.request.url == TrialFeed.lists + "1")
        #expect(fetch.request.fields.first?.value == "application/statuslist+jwt")
        #expect(lists.due().isEmpty)
        #expect(lists.known("1") == nil)
        #expect(lists.complete(fetch, try TrialFeed.list("1")) == .fresh)
        #expect(lists.known("1")?.status == 1)
        #expect(lists.known("1")?.freshFor == 30)
        #expect(lists.pause == 15)
        lists.time.seconds = 15
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        #expect(lists.known("1")?.freshFor == 45)
    }

    @Test("A list that wants to be fetched oftener is, but not without end")
    func timeToLive() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1", ["ttl": "4"])) == .fresh)
        #expect(lists.pause == 4)
        lists.time.seconds = 4
        #expect(try lists.refresh(TrialFeed.list("1", ["ttl": "0.01"])) == .fresh)
        #expect(lists.pause == 1)
        lists.time.seconds = 5
        #expect(try lists.refresh(TrialFeed.list("1", ["ttl": "400"])) == .fresh)
        #expect(lists.pause == 15)
    }

    @Test("A failure keeps the list, until it is stale, and is followed by pauses that double")
    func failures() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 15
        for pause in [1.0, 2, 4] {
            guard case .failed = try lists.refresh(.failure(.timedOut)) else {
                Issue.record("it did not fail")
                return
            }
            #expect(lists.pause == pause)
            #expect(lists.known("1")?.freshFor == 30)
            lists.time.seconds += pause
        }
        #expect(!lists.refresher.isStale(at: lists.time.now))
        #expect(lists.refresher.change(at: lists.time.now) == nil)
        lists.time.seconds = 30
        #expect(lists.known("1")?.status == 1)
        #expect(lists.known("1")?.freshFor == nil)
        #expect(lists.refresher.change(at: lists.time.now) == .stale)
        #expect(lists.refresher.change(at: lists.time.now) == nil)
        #expect(lists.refresher.status(at: lists.time.now).lastFailure == "no answer in time")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        #expect(lists.refresher.change(at: lists.time.now) == .recovered)
        let status = FeedStatus(
            name: "lists", type: "status_list", age: .zero, isStale: false, lastFailure: nil, entries: 8)
        #expect(lists.refresher.status(at: lists.time.now) == status)
    }

    @Test(
        "What cannot be verified is a failure",
        arguments: [
            (["sub": "\"https://lists.example.test/lists/2\""], "its sub is another URI"),
            (["iat": "1799999999"], "it is older than the one that is known"),
            (["exp": "1800000000"], "it has expired"), (["ttl": "0"], "its ttl is missing or wrong"),
        ])
    func refused(changed: [String: String], reason: String) throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 15
        let outcome = try lists.refresh(TrialFeed.list("1", changed))
        #expect(outcome == .failed("the list is refused: " + reason))
        #expect(lists.known("1")?.freshFor == 30)
    }

    @Test("An expired list does not count although it was fetched a moment ago")
    func expired() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1", ["exp": "1800000010"])) == .fresh)
        lists.time.seconds = 9
        #expect(lists.known("1")?.freshFor == 30)
        lists.time.seconds = 10
        #expect(lists.known("1")?.freshFor == nil)
        #expect(lists.refresher.isStale(at: lists.time.now))
    }

    @Test("A list that has not changed is confirmed, where its server knows tags")
    func entityTag() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1", fields: ["etag": "\"a\""])) == .fresh)
        lists.time.seconds = 15
        let fetch = try #require(lists.due().first)
        #expect(fetch.request.fields.contains { $0.name == "if-none-match" && $0.value == "\"a\"" })
        #expect(lists.complete(fetch, .success(IncomingResponse(status: 304))) == .fresh)
        #expect(lists.known("1")?.freshFor == 45)
    }

    @Test("Without a tag nothing is confirmed", arguments: [304, 404, 500])
    func status(status: Int) throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 15
        #expect(
            try lists.refresh(.success(IncomingResponse(status: status))) == .failed("the answer was \(status)"))
    }

    // MARK: Many lists

    @Test("A feed of many fetches what a token names, once")
    func wanted() throws {
        var lists = try TrialLists("*")
        #expect(lists.due().isEmpty)
        #expect(lists.pause == nil)
        #expect(!lists.refresher.isStale(at: lists.time.now))
        #expect(lists.want("1") == .wait)
        let fetch = try #require(lists.due().first)
        #expect(lists.want("1") == .wait)
        #expect(lists.due().isEmpty)
        #expect(lists.complete(fetch, try TrialFeed.list("1")) == .fresh)
        #expect(lists.want("1") == .settled)
        #expect(lists.known("1")?.status == 1)
    }

    @Test("Nothing is fetched for a URI that the feed does not cover", arguments: ["../1", "a?b", ""])
    func foreign(name: String) throws {
        var lists = try TrialLists("*")
        #expect(lists.want(name) == .settled)
        #expect(lists.due().isEmpty)
    }

    @Test("A list that cannot be fetched is known to be stale, and calls do not wait for it again")
    func unreachable() throws {
        var lists = try TrialLists("*")
        #expect(lists.want("1") == .wait)
        #expect(try lists.refresh(.failure(.timedOut)) == .failed("no answer in time"))
        let known = try #require(lists.known("1"))
        #expect(known.status == nil)
        #expect(known.freshFor == nil)
        #expect(lists.want("1") == .settled)
        #expect(lists.refresher.change(at: lists.time.now) == nil)
        lists.time.seconds = 30
        #expect(lists.refresher.change(at: lists.time.now) == .stale)
    }

    @Test("A list that nobody has asked for in an hour is forgotten, and fetched again when somebody does")
    func forgotten() throws {
        var lists = try TrialLists("*")
        #expect(lists.want("1") == .wait)
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 3599
        #expect(lists.forget() == false)
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 3613
        // It is forgotten in place of the next fetch, not before.
        #expect(lists.forget() == false)
        lists.time.seconds = 3614
        #expect(lists.forget() == true)
        #expect(lists.known("1") == nil)
        #expect(lists.due().isEmpty)
        #expect(lists.want("1") == .wait)
    }

    @Test("A list that its issuer has retired is forgotten like any other", arguments: [404, 500])
    func retired(status: Int) throws {
        var lists = try TrialLists("*")
        #expect(lists.want("1") == .wait)
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 15
        _ = try lists.refresh(.success(IncomingResponse(status: status)))
        lists.time.seconds = 3599
        #expect(lists.forget() == false)
        _ = try lists.refresh(.success(IncomingResponse(status: status)))
        lists.time.seconds = 3700
        #expect(lists.forget() == true)
        #expect(lists.known("1") == nil)
        #expect(!lists.refresher.isStale(at: lists.time.now))
        #expect(lists.want("1") == .wait)
    }

    @Test("Where a list that is not known lets calls in, one that cannot be fetched is kept for a day")
    func lastWord() throws {
        var lists = try TrialLists("*", deniesWhenStale: false)
        #expect(lists.want("1") == .wait)
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        for seconds in [15.0, 3700, 86_399] {
            lists.time.seconds = seconds
            #expect(lists.forget() == false)
            _ = try lists.refresh(.failure(.timedOut))
        }
        #expect(lists.known("1")?.status == 1)
        lists.time.seconds = 86_500
        #expect(lists.forget() == true)
    }

    @Test(
        "Of many lists one that is gone makes nobody unready; one that cannot be reached does",
        arguments: [404, 410, 500])
    func gone(status: Int) throws {
        var lists = try TrialLists("*")
        #expect(lists.want("1") == .wait)
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 15
        _ = try lists.refresh(.success(IncomingResponse(status: status)))
        lists.time.seconds = 30
        #expect(lists.known("1")?.freshFor == nil)
        #expect(lists.refresher.isStale(at: lists.time.now) == (status == 500))
        #expect(lists.refresher.change(at: lists.time.now) == (status == 500 ? .stale : nil))
    }

    @Test("The one list of a feed makes it stale when it is gone")
    func onlyOneGone() throws {
        var lists = try TrialLists("1")
        #expect(lists.refresher.isStale(at: lists.time.now))
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        #expect(!lists.refresher.isStale(at: lists.time.now))
        lists.time.seconds = 15
        _ = try lists.refresh(.success(IncomingResponse(status: 404)))
        lists.time.seconds = 30
        #expect(lists.refresher.isStale(at: lists.time.now))
        #expect(lists.refresher.change(at: lists.time.now) == .stale)
    }

    @Test("A list that is named for the first time has its time before the feed is stale")
    func newcomer() throws {
        var lists = try TrialLists("*")
        #expect(lists.want("1") == .wait)
        #expect(!lists.refresher.isStale(at: lists.time.now))
        #expect(!lists.refresher.status(at: lists.time.now).isStale)
        _ = try lists.refresh(.failure(.timedOut))
        lists.time.seconds = 29
        #expect(!lists.refresher.isStale(at: lists.time.now))
        lists.time.seconds = 30
        #expect(lists.refresher.isStale(at: lists.time.now))
        #expect(lists.refresher.change(at: lists.time.now) == .stale)
    }

    @Test(
        "A list that was verified where it was fetched is taken as it is, but for one that is older than the known one")
    func verifiedBefore() throws {
        var lists = try TrialLists("1")
        var answer = FeedAnswer(fetch: try #require(lists.due().first), result: try TrialFeed.list("1"))
        answer.verifyList(by: try TrialFeed.signer(), engine: try CryptographicEngine(), now: lists.time.now.civil)
        #expect(try answer.result.get().body.isEmpty)
        #expect(lists.complete(answer) == .fresh)
        #expect(lists.known("1")?.status == 1)
        lists.time.seconds = 15
        let older = try TrialFeed.list("1", issued: Broker.now - .seconds(1))
        answer = FeedAnswer(fetch: try #require(lists.due().first), result: older)
        answer.verifyList(by: try TrialFeed.signer(), engine: try CryptographicEngine(), now: lists.time.now.civil)
        #expect(lists.complete(answer) == .failed("the list is refused: it is older than the one that is known"))
    }

    @Test("The one list of a feed is never forgotten")
    func kept() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        lists.time.seconds = 10_000
        #expect(lists.forget() == false)
        #expect(lists.due().count == 1)
    }

    @Test("There is room for so many lists, and then for no more")
    func bound() throws {
        var lists = try TrialLists("*")
        for index in 0..<StatusListRefresher.capacity { #expect(lists.want("\(index)") == .wait) }
        #expect(lists.want("more") == .settled)
        #expect(lists.due().count == StatusListRefresher.capacity)
    }

    @Test("What nobody waits for any more is ignored")
    func ignored() throws {
        var lists = try TrialLists("1")
        let fetch = try #require(lists.due().first)
        #expect(lists.complete(fetch, try TrialFeed.list("1")) == .fresh)
        #expect(lists.complete(fetch, .failure(.timedOut)) == .ignored)
    }

    @Test("A new configuration keeps what is known of the same lists")
    func adopt() throws {
        var lists = try TrialLists("1")
        #expect(try lists.refresh(TrialFeed.list("1")) == .fresh)
        let location = try TrialLists.location("1", every: .seconds(5))
        #expect(lists.refresher.isAt(location))
        #expect(!lists.refresher.isAt(try TrialLists.location("2", every: .seconds(5))))
        lists.refresher.adopt(location, staleness: .seconds(10), now: lists.time.now.monotonic)
        #expect(lists.pause == 5)
        #expect(lists.known("1")?.freshFor == 10)
    }
}
