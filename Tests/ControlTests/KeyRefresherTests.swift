import Bytes
import Testing
import Tokens

@testable import Control

@Suite("Key refresher: in the background")
struct BackgroundRefreshTests {
    @Test("A new source is due at once, once, and has no keys before")
    func startsAtOnce() throws {
        var trial = TrialRefresher()
        #expect(trial.pause == 0)
        #expect(trial.keys == [])
        let fetches = trial.due()
        #expect(fetches.map(\.issuer) == [TrialRefresher.issuer])
        #expect(trial.due().isEmpty)
        #expect(trial.pause == nil)
        let fetch = try #require(fetches.first)
        #expect(fetch.request.url == TrialRefresher.url)
        #expect(fetch.request.method == .get)
        #expect(!fetch.request.dangerouslyAllowsPlainHTTP)
        #expect(fetch.request.fields.map(\.name) == ["accept"])
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.keys == ["k-0"])
        #expect(
            trial.status == KeySourceStatus(issuer: TrialRefresher.issuer, age: .zero, lastFailure: nil, isUsable: true)
        )
    }

    @Test("Keys are fetched again when the interval is over, and not before")
    func refreshes() throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0]))
        #expect(trial.pause == 300)
        trial.clock = 299.999
        #expect(trial.due().isEmpty)
        trial.clock = 300
        #expect(trial.due().count == 1)
    }

    @Test("The same keys in another order are no change; others are a rotation")
    func tellsRotation() throws {
        var trial = TrialRefresher()
        #expect(try trial.refresh(KeySets.answer([0, 1])) == .first(["k-0", "k-1"]))
        trial.clock += 300
        #expect(try trial.refresh(KeySets.answer([1, 0])) == .unchanged)
        trial.clock += 300
        #expect(try trial.refresh(KeySets.answer([1, 2])) == .rotation(["k-1", "k-2"]))
        #expect(trial.keys == ["k-1", "k-2"])
    }

    @Test("An entity tag is sent back, and 304 keeps the keys and renews their age")
    func revalidates() throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "W/\"v1\""]))
        for _ in 0..<20 {
            trial.clock += 300
            let fetch = try #require(trial.due().first)
            #expect(fetch.request.fields.last?.name == "if-none-match")
            #expect(fetch.request.fields.last?.value == "W/\"v1\"")
            #expect(trial.status?.age == .seconds(300))
            #expect(trial.complete(fetch, KeySets.answer(status: 304)) == .unchanged)
            #expect(trial.status?.age == .zero)
        }
        // Long after the first answer would have been too old.
        #expect(trial.keys == ["k-0"])
    }

    @Test("A new answer without an entity tag ends the sending of the old one")
    func forgetsEntityTag() throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"v1\""]))
        trial.clock += 300
        _ = try trial.refresh(KeySets.answer([1]))
        trial.clock += 300
        #expect(try #require(trial.due().first).request.fields.map(\.name) == ["accept"])
    }

    @Test(
        "A malformed entity tag is not sent back",
        arguments: [
            "v1", "\"a b\"", "\"a\r\nx: y\"", "\"é\"", "\"" + String(repeating: "x", count: 300) + "\"", "W/v", "",
        ])
    func ignoresBadEntityTag(tag: String) throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": tag]))
        trial.clock += 300
        #expect(try #require(trial.due().first).request.fields.map(\.name) == ["accept"])
    }

    @Test("304 to a request without condition is a failure")
    func refusesUnaskedRevalidation() throws {
        var trial = TrialRefresher()
        #expect(try trial.refresh(KeySets.answer(status: 304)) == .failed("the answer was 304"))
        #expect(trial.keys == [])
    }

    @Test(
        "The pause is the shorter of the interval and what the answer says, but not very short",
        arguments: [
            ("max-age=60", nil, 60.0), ("max-age=301", nil, 300), ("max-age=1", nil, 10), ("max-age=60", "20", 40),
            ("max-age=60", "59", 10), ("no-store, max-age=0", nil, 300), ("no-cache", nil, 300), (nil, nil, 300),
        ] as [(String?, String?, Double)])
    func followsFreshness(control: String?, age: String?, pause: Double) throws {
        var trial = TrialRefresher()
        var fields: [String: String] = [:]
        fields["cache-control"] = control
        fields["age"] = age
        _ = try trial.refresh(KeySets.answer([0], fields: fields))
        #expect(trial.pause == pause)
    }

    @Test("A short interval of the operator stands, whatever the answer says")
    func keepsShortInterval() throws {
        var trial = TrialRefresher(refresh: .seconds(2))
        _ = try trial.refresh(KeySets.answer([0], fields: ["cache-control": "max-age=60"]))
        #expect(trial.pause == 2)
    }

    @Test("304 says anew how long it is fresh")
    func followsFreshnessOfRevalidation() throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"1\"", "cache-control": "max-age=60"]))
        trial.clock += 60
        _ = try trial.refresh(KeySets.answer(status: 304, fields: ["cache-control": "max-age=30"]))
        #expect(trial.pause == 30)
    }

    @Test("Jitter shortens each pause by a tenth at most")
    func jitters() throws {
        var trial = TrialRefresher(jitterSeed: 7)
        var pauses: Set<Double> = []
        for _ in 0..<50 {
            _ = try trial.refresh(KeySets.answer([0]))
            let pause = try #require(trial.pause)
            #expect((270...300).contains(pause))
            pauses.insert(pause)
            trial.clock += 300
        }
        #expect(pauses.count > 40)
    }
}

@Suite("Key refresher: configuration")
struct RefresherConfigurationTests {
    private let other = "https://other.example.test"

    private func reconfigure(_ trial: inout TrialRefresher, _ location: KeySetLocation) {
        trial.refresher.configure([(TrialRefresher.issuer, location)], now: trial.now)
    }

    @Test("What is known stays known where the place is the same")
    func keepsKeys() throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"v1\""]))
        trial.clock = 100
        reconfigure(
            &trial,
            KeySetLocation(url: TrialRefresher.url, refreshInterval: .seconds(20), maximumStaleness: .seconds(500)))
        #expect(trial.keys == ["k-0"])
        #expect(trial.pause == 20)
        trial.clock = 120
        #expect(try #require(trial.due().first).request.fields.last?.value == "\"v1\"")
        trial.clock = 500
        #expect(trial.keys == [])
    }

    @Test("A fetch under way serves the new configuration of the same place")
    func keepsFetch() throws {
        var trial = TrialRefresher()
        let fetch = try #require(trial.due().first)
        reconfigure(&trial, KeySetLocation(url: TrialRefresher.url, refreshInterval: .seconds(20)))
        #expect(trial.due().isEmpty)
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.pause == 20)
    }

    @Test(
        "Another URL or other authorities are another source",
        arguments: [
            KeySetLocation(url: TrialRefresher.url + "2"),
            KeySetLocation(url: TrialRefresher.url, authorityFile: "/tmp/other.pem"),
        ])
    func forgetsKeys(location: KeySetLocation) throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"v1\""]))
        trial.clock = 300
        let old = try #require(trial.due().first)
        reconfigure(&trial, location)
        #expect(trial.keys == [])
        let fetch = try #require(trial.due().first)
        #expect(fetch.request.url == location.url)
        #expect(fetch.request.authorityFile == location.authorityFile)
        #expect(fetch.request.fields.map(\.name) == ["accept"])
        // What the old place says does not count any more.
        #expect(trial.complete(old, try KeySets.answer([1])) == .unchanged)
        #expect(trial.keys == [])
        #expect(trial.complete(fetch, try KeySets.answer([2])) == .first(["k-2"]))
    }

    @Test("A source that is gone is asked no more, and what it says does not count")
    func forgetsSource() throws {
        var trial = TrialRefresher()
        let fetch = try #require(trial.due().first)
        trial.refresher.configure([], now: trial.now)
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .unchanged)
        #expect(trial.refresher.nextDue == nil)
        #expect(trial.refresher.status(at: trial.now) == [])
        #expect(trial.keys == [])
        #expect(trial.advice("k-0") == .refused)
    }

    @Test("Sources do not touch one another")
    func separatesSources() throws {
        var trial = TrialRefresher()
        trial.refresher.configure(
            [
                (TrialRefresher.issuer, trial.location), (other, KeySetLocation(url: other + "/keys")),
                (other, KeySetLocation(url: other + "/second")),
            ], now: trial.now)
        let fetches = trial.due()
        #expect(fetches.map(\.request.url) == [TrialRefresher.url, other + "/keys"])
        #expect(Set(fetches.map(\.number)).count == 2)
        let (first, second) = (try #require(fetches.first), try #require(fetches.last))
        #expect(trial.complete(first, try KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.complete(second, .failure(.timedOut)) == .failed("no answer in time"))
        #expect(trial.keys == ["k-0"])
        #expect(trial.refresher.keys(of: other, from: KeySetLocation(url: other + "/keys"), at: trial.now).isEmpty)
        // What came from one place is not taken for what another would have brought.
        let elsewhere = KeySetLocation(url: TrialRefresher.url + "2")
        #expect(trial.refresher.keys(of: TrialRefresher.issuer, from: elsewhere, at: trial.now).isEmpty)
        #expect(trial.refresher.status(at: trial.now).map(\.isUsable) == [true, false])
        #expect(trial.pause == 1)
        #expect(Advice(trial.refresher.ask(issuer: other, keyID: "k-0", at: trial.now)) == .refused)
    }
}
