import Reactor
import Testing

@Suite("The timer wheel")
struct TimerWheelTests {
    private func key(_ index: UInt64) -> SlotKey { SlotKey(rawValue: 1 << 32 | index) }

    private func advance(_ wheel: inout TimerWheel, to now: Int64) -> [SlotKey] {
        var due: [TimerWheel.Entry] = []
        wheel.advance(to: now, into: &due)
        return due.map(\.key)
    }

    private static let millisecond: Int64 = 1_000_000

    @Test(
        "Nothing is due before its time, and all is within two ticks after it",
        arguments: [1, 16, 17, 100, 8_000, 9_000, 100_000])
    func isDue(milliseconds: Int64) {
        var wheel = TimerWheel(now: 5 * Self.millisecond)
        let time = (5 + milliseconds) * Self.millisecond
        wheel.schedule(key(7), at: time)
        let before = advance(&wheel, to: time - 1)
        let after = advance(&wheel, to: time + 34 * Self.millisecond)
        #expect(before == [])
        #expect(after == [key(7)])
    }

    @Test("A time that has passed is due at the next tick")
    func isLate() {
        var wheel = TimerWheel(now: 1_000 * Self.millisecond)
        wheel.schedule(key(1), at: 10)
        let due = advance(&wheel, to: 1_034 * Self.millisecond)
        #expect(due == [key(1)])
    }

    @Test("Entries of one bucket that are a turn apart are told apart")
    func separatesTurns() {
        var wheel = TimerWheel(now: 0)
        let turn = Int64(512) << 24
        wheel.schedule(key(1), at: 100 * Self.millisecond)
        wheel.schedule(key(2), at: 100 * Self.millisecond + turn)
        let first = advance(&wheel, to: 200 * Self.millisecond)
        let second = advance(&wheel, to: 200 * Self.millisecond + turn)
        #expect(first == [key(1)])
        #expect(second == [key(2)])
    }

    @Test("A jump over several turns reports everything once")
    func jumps() {
        var wheel = TimerWheel(now: 0)
        for index in 0..<1000 { wheel.schedule(key(UInt64(index)), at: Int64(index) * 50 * Self.millisecond) }
        let due = advance(&wheel, to: 3_600_000 * Self.millisecond)
        let again = advance(&wheel, to: 3_700_000 * Self.millisecond)
        #expect(Set(due).count == 1000)
        #expect(due.count == 1000)
        #expect(again == [])
    }

    @Test("The delay reaches to the next entry and is never longer")
    func tellsDelay() throws {
        var wheel = TimerWheel(now: 0)
        #expect(wheel.delay(from: 0) == nil)
        wheel.schedule(key(1), at: 300 * Self.millisecond)
        let delay = try #require(wheel.delay(from: 0))
        #expect(delay >= 300 * Self.millisecond)
        #expect(delay <= 334 * Self.millisecond)
        wheel.schedule(key(2), at: 20 * Self.millisecond)
        let sooner = try #require(wheel.delay(from: 0))
        #expect(sooner <= 54 * Self.millisecond)
    }
}
