import Bytes
import Configuration
import Testing

@testable import Server

@Suite("What a gateway that is told to stop does when")
struct DrainScheduleTests {
    private static let second: Int64 = 1_000_000_000

    private func schedule(notice: Int64, drain: Int64) -> DrainSchedule {
        var timeouts = Timeouts()
        timeouts.drainNotice = .seconds(notice)
        timeouts.drain = .seconds(drain)
        return DrainSchedule(now: 0, timeouts: timeouts)
    }

    @Test("It tells clients twice, a second apart, and cuts off what is left at the end")
    func order() {
        var schedule = schedule(notice: 0, drain: 30)
        #expect(schedule.take(now: 0) == .drain)
        #expect(schedule.take(now: 0) == nil)
        #expect(schedule.next == Self.second)
        #expect(schedule.take(now: Self.second) == .drain)
        #expect(schedule.take(now: 30 * Self.second - 1) == nil)
        #expect(schedule.take(now: 30 * Self.second) == .stop)
        #expect(schedule.next == nil)
    }

    @Test("It goes on as before for the time of notice")
    func notice() {
        var schedule = schedule(notice: 5, drain: 30)
        #expect(schedule.take(now: 5 * Self.second - 1) == nil)
        #expect(schedule.take(now: 5 * Self.second) == .drain)
        #expect(schedule.take(now: 6 * Self.second) == .drain)
        #expect(schedule.take(now: 35 * Self.second - 1) == nil)
        #expect(schedule.take(now: 35 * Self.second) == .stop)
    }

    @Test("Without time to drain everything ends at once")
    func atOnce() {
        var schedule = schedule(notice: 0, drain: 0)
        #expect([schedule.take(now: 0), schedule.take(now: 0), schedule.take(now: 0)] == [.drain, .drain, .stop])
    }
}
