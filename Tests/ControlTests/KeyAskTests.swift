import Bytes
import Testing
import Tokens

@testable import Control

@Suite("Key refresher: asks")
struct KeyAskTests {
    /// One that has fetched key 0.
    private func warm() throws -> TrialRefresher {
        var trial = TrialRefresher()
        _ = try trial.refresh(KeySets.answer([0]))
        return trial
    }

    private func fetch(_ answer: KeyAnswer) throws -> KeyFetch {
        guard case .fetch(let fetch) = answer else {
            Issue.record("no fetch, but \(Advice(answer))")
            throw RetrievalError.stopped
        }
        return fetch
    }

    @Test("Nobody is asked about an issuer without a URL")
    func refusesStranger() throws {
        var trial = try warm()
        #expect(
            Advice(trial.refresher.ask(issuer: "https://other.example.test", keyID: "k-9", at: trial.now)) == .refused)
        #expect(trial.advice("k-9") == .fetch)
    }

    @Test("The first calls wait for the first fetch, whoever began it", arguments: [true, false])
    func waitsForFirst(isBackground: Bool) throws {
        var trial = TrialRefresher()
        let fetch = isBackground ? try #require(trial.due().first) : try self.fetch(trial.ask("k-0"))
        #expect(trial.due().isEmpty)
        for keyID in ["k-0", nil, "k-9"] { #expect(trial.advice(keyID) == .wait) }
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.advice("k-0") == .known)
        #expect(trial.advice(nil) == .known)
        #expect(trial.advice("k-9") == .refused)
    }

    @Test("A key that has come since is known, and nothing is fetched")
    func knows() throws {
        var trial = try warm()
        #expect(trial.advice("k-0") == .known)
        #expect(trial.advice(nil) == .known)
        #expect(trial.due().isEmpty)
    }

    @Test("A rotated key is found by one fetch, which all calls join")
    func findsRotatedKey() throws {
        var trial = try warm()
        trial.clock = 1
        let fetch = try fetch(trial.ask("k-1"))
        for _ in 0..<1000 { #expect(trial.advice("k-1") == .wait) }
        #expect(trial.advice("k-2") == .wait)
        #expect(trial.advice("k-0") == .known)
        #expect(trial.complete(fetch, try KeySets.answer([0, 1])) == .rotation(["k-0", "k-1"]))
        #expect(trial.advice("k-1") == .known)
        // It was asked for, and was not there.
        #expect(trial.advice("k-2") == .refused)
        #expect(trial.pause == 300)
    }

    @Test("A flood of unknown keys causes one fetch in ten seconds")
    func limitsRate() throws {
        var trial = try warm()
        var fetches = 0
        for step in 0..<1000 {
            trial.clock = Double(step) / 10
            guard case .fetch(let fetch) = trial.ask("x-\(step)") else { continue }
            fetches += 1
            #expect(trial.complete(fetch, try KeySets.answer([0])) == .unchanged)
        }
        #expect(fetches == 10)
    }

    @Test("The next unknown key may be asked for after ten seconds, and not before")
    func renewsAllowance() throws {
        var trial = try warm()
        _ = trial.complete(try fetch(trial.ask("x-1")), try KeySets.answer([0]))
        trial.clock = 9.999
        #expect(trial.advice("x-2") == .refused)
        trial.clock = 10
        #expect(trial.advice("x-2") == .fetch)
    }

    @Test("A fetch in the background does not use the allowance of calls")
    func keepsAllowance() throws {
        var trial = try warm()
        trial.clock = 300
        _ = try trial.refresh(KeySets.answer([0]))
        #expect(trial.advice("x-1") == .fetch)
    }

    @Test("A key that was not there is not asked for again for a minute")
    func remembersUnknown() throws {
        var trial = try warm()
        _ = trial.complete(try fetch(trial.ask("x-1")), try KeySets.answer([0]))
        trial.clock = 30
        #expect(trial.advice("x-1") == .refused)
        #expect(trial.advice("x-2") == .fetch)
        #expect(trial.advice("x-1") == .refused)
        trial.clock = 59.999
        #expect(trial.advice("x-1") == .refused)
        trial.clock = 60
        #expect(trial.advice("x-1") == .wait)
    }

    @Test("A key that comes later counts at once, remembered as missing or not")
    func forgetsFoundKey() throws {
        var trial = try warm()
        _ = trial.complete(try fetch(trial.ask("k-1")), try KeySets.answer([0]))
        #expect(trial.advice("k-1") == .refused)
        trial.clock = 20
        #expect(trial.complete(try fetch(trial.ask("k-2")), try KeySets.answer([0, 1])) == .rotation(["k-0", "k-1"]))
        #expect(trial.advice("k-1") == .known)
    }

    @Test("A failed fetch says nothing about a key, and the pause holds for calls too")
    func backsOffCalls() throws {
        var trial = try warm()
        trial.clock = 100
        #expect(trial.complete(try fetch(trial.ask("k-1")), .failure(.timedOut)) == .failed("no answer in time"))
        for _ in 0..<100 { #expect(trial.advice("k-1") == .refused) }
        trial.clock = 101
        #expect(
            trial.complete(try #require(trial.due().first), try KeySets.answer([0, 1])) == .rotation(["k-0", "k-1"]))
        #expect(trial.advice("k-1") == .known)
    }

    @Test("While keys are missing the pause after failures holds for calls, however many")
    func backsOffWithoutKeys() throws {
        var trial = TrialRefresher()
        var fetches = 0
        for step in 0..<6300 {
            trial.clock = Double(step) / 100
            guard case .fetch(let fetch) = trial.ask("k-0") else { continue }
            fetches += 1
            #expect(trial.advice("k-0") == .wait)
            _ = trial.complete(fetch, .failure(.connection("refused")))
        }
        // At 0, 1, 3, 7, 15 and 31 seconds; the next is due at 63.
        #expect(fetches == 6)
        trial.clock = 63
        let fetch = try fetch(trial.ask("k-0"))
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .first(["k-0"]))
        #expect(trial.advice("k-0") == .known)
    }

    @Test("Keys that are too old make calls wait for the next fetch")
    func waitsAfterLapse() throws {
        var trial = try warm()
        trial.clock = 3600
        let fetch = try fetch(trial.ask("k-0"))
        #expect(trial.advice("k-0") == .wait)
        #expect(trial.complete(fetch, try KeySets.answer([0])) == .first(["k-0"]))
    }

    @Test("An endpoint that dies in the middle of a fetch, with many calls waiting, costs one fetch and no keys")
    func survivesDeath() throws {
        var trial = try warm()
        trial.clock = 50
        let fetch = try fetch(trial.ask("x-0"))
        for index in 0..<10_000 { #expect(trial.advice("x-\(index)") == .wait) }
        #expect(trial.complete(fetch, .failure(.connection("reset"))) == .failed("no connection: reset"))
        #expect(trial.complete(fetch, try KeySets.answer([3])) == .unchanged)
        #expect(trial.keys == ["k-0"])
        for index in 0..<10_000 { #expect(trial.advice("x-\(index)") == .refused) }
        #expect(trial.advice("k-0") == .known)
    }
}
