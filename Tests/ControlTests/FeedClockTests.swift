import Bytes
import Testing

@testable import Control

/// Both clocks, set by hand.
struct TrialClock {
    /// Seconds since the start.
    var seconds: Double = 0

    static let start = UnixTime(seconds: 1_800_000_000)

    var now: FeedMoment {
        let elapsed = Int64((seconds * 1000).rounded()) * 1_000_000
        return FeedMoment(
            monotonic: MonotonicTime(nanoseconds: 5_000_000_000_000 + elapsed),
            civil: Self.start + Interval(nanoseconds: elapsed))
    }
}

@Suite("FeedClock")
struct FeedClockTests {
    private var time = TrialClock()

    @Test("What was never heard is stale, and worth an alarm only when it had its time")
    func neverHeard() {
        var time = time
        var clock = FeedClock(staleness: .seconds(30), now: time.now.monotonic)
        #expect(clock.isStale(at: time.now.monotonic))
        #expect(clock.freshUntil(at: time.now.monotonic) == nil)
        #expect(clock.age(at: time.now.monotonic) == nil)
        time.seconds = 29.999
        #expect(clock.change(at: time.now.monotonic) == nil)
        time.seconds = 30
        #expect(clock.nextEvent == time.now.monotonic)
        #expect(clock.change(at: time.now.monotonic) == .stale)
        #expect(clock.change(at: time.now.monotonic) == nil)
        #expect(clock.nextEvent == nil)
    }

    @Test("What was heard counts for as long as is configured, and each change is told once")
    func heard() {
        var time = time
        var clock = FeedClock(staleness: .seconds(30), now: time.now.monotonic)
        clock.heard(at: time.now)
        #expect(clock.freshUntil(at: time.now.monotonic) == TrialClock.start + .seconds(30))
        #expect(clock.change(at: time.now.monotonic) == nil)
        time.seconds = 29.999
        #expect(!clock.isStale(at: time.now.monotonic))
        time.seconds = 30
        #expect(clock.isStale(at: time.now.monotonic))
        #expect(clock.freshUntil(at: time.now.monotonic) == nil)
        #expect(clock.age(at: time.now.monotonic) == .seconds(30))
        #expect(clock.change(at: time.now.monotonic) == .stale)
        clock.heard(at: time.now)
        #expect(clock.change(at: time.now.monotonic) == .recovered)
        #expect(clock.change(at: time.now.monotonic) == nil)
    }

    @Test("What may be silent for ever is never stale, unless it says that it will be silent")
    func unlimited() {
        let time = time
        var clock = FeedClock(staleness: nil, now: time.now.monotonic)
        #expect(!clock.isStale(at: time.now.monotonic))
        #expect(clock.freshUntil(at: time.now.monotonic) == UnixTime(nanoseconds: .max))
        #expect(clock.nextEvent == nil)
        clock.interrupt(true)
        #expect(clock.isStale(at: time.now.monotonic))
        #expect(clock.change(at: time.now.monotonic) == .stale)
        clock.interrupt(false)
        #expect(clock.change(at: time.now.monotonic) == .recovered)
    }

    @Test("Another limit counts at once")
    func adopt() {
        var time = time
        var clock = FeedClock(staleness: .seconds(30), now: time.now.monotonic)
        clock.heard(at: time.now)
        time.seconds = 10
        clock.adopt(staleness: .seconds(10))
        #expect(clock.isStale(at: time.now.monotonic))
        clock.adopt(staleness: .seconds(11))
        #expect(!clock.isStale(at: time.now.monotonic))
    }
}
