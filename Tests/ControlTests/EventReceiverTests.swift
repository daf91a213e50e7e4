import Bytes
import Cryptography
import Revocation
import Support
import Testing
import Tokens

@testable import Control

@Suite("EventReceiver")
struct EventReceiverTests {
    private let engine: CryptographicEngine
    private let terms: EventTerms
    private let time = TrialClock()

    init() throws {
        engine = try CryptographicEngine()
        terms = try TrialFeed.terms()
    }

    private func receiver(heartbeat: Interval? = .seconds(300), secret: String? = "Bearer b") -> EventReceiver {
        let endpoint = PushEndpoint(
            listener: "agents", path: "/events", audience: TrialFeed.audience,
            authorization: secret.map { ClientSecret(Array($0.utf8)) }, heartbeat: heartbeat)
        return EventReceiver(feed: "pushed", endpoint: endpoint, now: time.now.monotonic)
    }

    private func receive(
        _ token: String, into receiver: inout EventReceiver, authorization: String? = "Bearer b",
        at time: TrialClock? = nil
    ) -> Result<EventReading, PushRefusal> {
        let now = (time ?? self.time).now
        do throws(PushRefusal) {
            return .success(
                try receiver.receive(
                    token.utf8.span, authorization: authorization, by: terms, engine: engine, now: now))
        } catch {
            return .failure(error)
        }
    }

    @Test("A delivery takes things back, and is settled when that is durable")
    func delivery() throws {
        var receiver = receiver()
        let token = try TrialFeed.event("e-1")
        let reading = try receive(token, into: &receiver).get()
        #expect(reading.tokenID == "e-1")
        #expect(reading.revocations.map(\.value) == ["agent-7"])
        #expect(reading.revocations.map(\.source) == ["feed:pushed"])
        receiver.awaits(7, for: reading)
        // Delivered again before that, it takes back the same.
        #expect(try receive(token, into: &receiver).get() == reading)
        receiver.settled(7)
        let again = try receive(token, into: &receiver).get()
        #expect(again.revocations.isEmpty)
        #expect(again.isRepeated)
        #expect(receiver.intake.count == 1)
    }

    @Test("What could not be made durable is read again when it is delivered again")
    func abandoned() throws {
        var receiver = receiver()
        let token = try TrialFeed.event("e-1")
        receiver.awaits(7, for: try receive(token, into: &receiver).get())
        receiver.abandoned(7)
        #expect(receiver.intake.lastFailure != nil)
        #expect(try receive(token, into: &receiver).get().revocations.count == 1)
        receiver.settled(7)
        #expect(receiver.intake.count == 0)
    }

    @Test(
        "A transmitter that does not show its authorization is refused", arguments: [nil, "", "Bearer c", "bearer b"])
    func authorization(value: String?) throws {
        var receiver = receiver()
        let token = try TrialFeed.event("e-1")
        guard case .failure(let refusal) = receive(token, into: &receiver, authorization: value) else {
            Issue.record("it is not refused")
            return
        }
        #expect(refusal.status == 401)
        #expect(refusal.code == "authentication_failed")
        #expect(receiver.intake.clock.isStale(at: time.now.monotonic))
        var open = self.receiver(secret: nil)
        #expect(try receive(token, into: &open, authorization: value).get().tokenID == "e-1")
    }

    @Test("A token that is refused says why, and nothing was heard")
    func refused() throws {
        var receiver = receiver()
        let foreign = try TrialFeed.event("e-1", changing: ["aud": "\"urn:other\""])
        let refusal = PushRefusal(code: "invalid_audience", description: "its aud does not name us")
        #expect(receive(foreign, into: &receiver) == .failure(refusal))
        #expect(receiver.intake.clock.isStale(at: time.now.monotonic))
        let stranger = Broker(key: try PrivateKey.generate(.ellipticCurve(.p256)), algorithm: .es256)
        let forged = try TrialFeed.event("e-1", by: stranger)
        guard case .failure(let forgery) = receive(forged, into: &receiver) else {
            Issue.record("it is not refused")
            return
        }
        #expect(forgery.code == "invalid_key")
        #expect(forgery.status == 400)
    }

    @Test("A delivery is bounded")
    func size() throws {
        var receiver = receiver()
        let long = String(repeating: "a", count: EventReceiver.maximumLength + 1)
        guard case .failure(let refusal) = receive(long, into: &receiver) else {
            Issue.record("it is not refused")
            return
        }
        #expect(refusal.description == "the token is too large")
    }

    @Test("Any event is a sign of life; without a heartbeat silence says nothing")
    func heartbeat() throws {
        var receiver = receiver()
        let verification = try TrialFeed.event("e-1", "{\"\(TrialFeed.verification)\":{}}")
        #expect(receiver.intake.clock.isStale(at: time.now.monotonic))
        #expect(try receive(verification, into: &receiver).get().revocations.isEmpty)
        #expect(receiver.intake.clock.freshUntil(at: time.now.monotonic) == TrialClock.start + .seconds(300))
        var later = time
        later.seconds = 300
        #expect(receiver.change(at: later.now.monotonic) == .stale)
        let next = try TrialFeed.event(
            "e-2", "{\"\(TrialFeed.verification)\":{}}", changing: ["iat": "1800000300"])
        #expect(try receive(next, into: &receiver, at: later).get().isRepeated == false)
        #expect(receiver.change(at: later.now.monotonic) == .recovered)
        let silent = self.receiver(heartbeat: nil)
        #expect(!silent.intake.clock.isStale(at: later.now.monotonic))
    }

    @Test("An event that was delivered before is no sign of life, whoever delivers it again")
    func repeated() throws {
        var receiver = receiver()
        let verification = try TrialFeed.event("e-1", "{\"\(TrialFeed.verification)\":{}}")
        _ = try receive(verification, into: &receiver).get()
        var later = time
        for seconds in stride(from: 60.0, through: 300, by: 60) {
            later.seconds = seconds
            #expect(try receive(verification, into: &receiver, at: later).get().isRepeated)
        }
        #expect(receiver.intake.clock.isStale(at: later.now.monotonic))
    }

    @Test(
        "An event shows that its transmitter was there when it was issued, give or take its clock",
        arguments: [
            (issued: 60, freshFor: 300), (issued: 0, freshFor: 300), (issued: -60, freshFor: 300),
            (issued: -61, freshFor: 299), (issued: -359, freshFor: 1), (issued: -360, freshFor: nil),
            (issued: -1_000_000_000, freshFor: nil),
        ])
    func old(issued: Int64, freshFor: Int64?) throws {
        var receiver = receiver()
        let claims = ["iat": "\(TrialClock.start.seconds + issued)"]
        // What it takes back counts all the same.
        let token = try TrialFeed.event("e-1", changing: claims)
        #expect(try receive(token, into: &receiver).get().revocations.count == 1)
        let freshUntil = receiver.intake.clock.freshUntil(at: time.now.monotonic)
        #expect(freshUntil.map { ($0 - TrialClock.start).seconds } == freshFor)
        #expect((receiver.intake.lastFailure != nil) == (freshFor == nil))
    }

    @Test("What comes late does not take back what is known of a feed")
    func late() throws {
        var receiver = receiver()
        _ = try receive(try TrialFeed.event("e-2"), into: &receiver).get()
        _ = try receive(try TrialFeed.event("e-1", changing: ["iat": "1799999700"]), into: &receiver).get()
        #expect(receiver.intake.clock.freshUntil(at: time.now.monotonic) == TrialClock.start + .seconds(300))
    }

    @Test("A stream that is interrupted is not taken up by what was said before", arguments: [(-1, true), (0, false)])
    func stream(enabledAt: Int64, isStale: Bool) throws {
        var receiver = receiver(heartbeat: nil)
        func deliver(_ name: String, _ status: String, at moment: Int64) throws {
            let event = "{\"\(TrialFeed.updated)\":{\"status\":\"\(status)\"}}"
            let claims = ["iat": "\(TrialClock.start.seconds + moment)"]
            _ = try receive(try TrialFeed.event(name, event, changing: claims), into: &receiver).get()
        }
        try deliver("e-2", "paused", at: 0)
        #expect(receiver.intake.clock.isStale(at: time.now.monotonic))
        try deliver("e-1", "enabled", at: enabledAt)
        #expect(receiver.intake.clock.isStale(at: time.now.monotonic) == isStale)
    }
}
