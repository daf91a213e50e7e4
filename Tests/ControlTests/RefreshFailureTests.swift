import Bytes
import Testing
import Tokens

@testable import Control

@Suite("Key refresher: failures")
struct RefreshFailureTests {
    @Test("After failures the pauses double from one second to a minute")
    func backsOff() throws {
        var trial = TrialRefresher()
        for pause in [1.0, 2, 4, 8, 16, 32, 60, 60, 60] {
            #expect(try trial.refresh(.failure(.timedOut)) == .failed("no answer in time"))
            #expect(trial.pause == pause)
            #expect(trial.status?.lastFailure == "no answer in time")
            trial.clock += pause - 0.001
            #expect(trial.due().isEmpty)
            trial.clock += 0.001
        }
        #expect(try trial.refresh(KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.status?.lastFailure == nil)
        trial.clock += 300
        _ = try trial.refresh(.failure(.timedOut))
        #expect(trial.pause == 1)
    }

    @Test("A thousand failures are one pause of a minute")
    func countsOn() throws {
        var trial = TrialRefresher()
        for _ in 0..<1000 {
            _ = try trial.refresh(.failure(.timedOut))
            trial.clock += try #require(trial.pause)
        }
        _ = try trial.refresh(.failure(.timedOut))
        #expect(trial.pause == 60)
    }

    @Test(
        "What is no key set is a failure, and the old keys stay",
        arguments: [
            (KeySets.answer(status: 404), "the answer was 404"), (KeySets.answer(status: 302), "the answer was 302"),
            (KeySets.answer(status: 204), "the answer was 204"),
            (KeySets.answer(status: 200, body: #"{"keys":[]}"#), "the key set has no key that can verify a signature"),
            (
                KeySets.answer(status: 200, body: #"{"keys":{}}"#),
                "the key set is not a JWK Set: an object with an array \"keys\" is expected"
            ),
            (
                KeySets.answer(status: 200, body: #"{"keys":[{"kty":"oct","k":"AA"}]}"#),
                "the key set key 1 is a symmetric key: only public keys are accepted"
            ),
            (.failure(.tooLarge), "the answer is too large"), (.failure(.stopped), "the gateway stops"),
        ])
    func keepsOldKeys(result: Result<IncomingResponse, RetrievalError>, reason: String) throws {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"v1\""]))
        trial.clock += 300
        #expect(try trial.refresh(result) == .failed(reason))
        #expect(trial.keys == ["k-0"])
        #expect(
            trial.status
                == KeySourceStatus(
                    issuer: TrialRefresher.issuer, age: .seconds(300), lastFailure: reason, isUsable: true))
        trial.clock += 1
        #expect(try trial.refresh(KeySets.answer([0, 1])) == .rotation(["k-0", "k-1"]))
    }

    @Test("A set with garbage for JSON is a failure")
    func refusesGarbage() throws {
        var trial = TrialRefresher()
        guard case .failed(let reason) = try trial.refresh(KeySets.answer(status: 200, body: "<html>")) else {
            Issue.record("garbage was taken")
            return
        }
        #expect(reason.hasPrefix("the key set is not JSON"))
    }

    @Test("Old keys serve until they are too old, and not a moment longer")
    func lapses() throws {
        var trial = TrialRefresher(staleness: .seconds(1000))
        _ = try trial.refresh(KeySets.answer([0]))
        trial.clock = 300
        _ = try trial.refresh(.failure(.timedOut))
        trial.clock = 999.999
        #expect(trial.keys == ["k-0"])
        #expect(trial.refresher.lapsed(at: trial.now) == [])
        trial.clock = 1000
        #expect(trial.keys == [])
        #expect(trial.status?.isUsable == false)
        #expect(trial.status?.age == .seconds(1000))
        #expect(trial.refresher.lapsed(at: trial.now) == [TrialRefresher.issuer])
        #expect(trial.refresher.lapsed(at: trial.now) == [])
    }

    @Test("The moment at which keys become too old is an event, once, also while a fetch is under way")
    func announcesLapse() throws {
        var trial = TrialRefresher(refresh: .seconds(900), staleness: .seconds(902))
        _ = try trial.refresh(KeySets.answer([0]))
        trial.clock = 900
        let fetch = try #require(trial.due().first)
        #expect(trial.pause == 2)
        trial.clock = 902
        #expect(trial.refresher.lapsed(at: trial.now) == [TrialRefresher.issuer])
        #expect(trial.pause == nil)
        #expect(trial.complete(fetch, .failure(.timedOut)) == .failed("no answer in time"))
        #expect(trial.pause == 1)
    }

    @Test("Keys that were too old come back, as no rotation where they are the same", arguments: [true, false])
    func returns(isSame: Bool) throws {
        var trial = TrialRefresher(staleness: .seconds(1000))
        _ = try trial.refresh(KeySets.answer([0], fields: ["etag": "\"v1\""]))
        trial.clock = 2000
        #expect(trial.refresher.lapsed(at: trial.now) == [TrialRefresher.issuer])
        let result = isSame ? KeySets.answer(status: 304) : try KeySets.answer([1])
        #expect(try trial.refresh(result) == (isSame ? .first(["k-0"]) : .rotation(["k-1"])))
        #expect(trial.keys == [isSame ? "k-0" : "k-1"])
        trial.clock = 3001
        #expect(trial.refresher.lapsed(at: trial.now) == [TrialRefresher.issuer])
    }
}
