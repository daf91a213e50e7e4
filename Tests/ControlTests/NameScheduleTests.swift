import Bytes
import Reactor
import Testing

@testable import Control

@Suite("NameSchedule")
struct NameScheduleTests {
    private static let one = SocketAddress.ipv4(0x0A00_0001, port: 0)
    private static let two = SocketAddress.ipv4(0x0A00_0002, port: 0)

    private func time(_ seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: seconds * 1_000_000_000) }

    private func answer(_ addresses: [SocketAddress], _ seconds: Int64? = nil) -> NameAnswer {
        NameAnswer(addresses: addresses, timeToLive: seconds.map { .seconds($0) })
    }

    private func schedule(_ names: [String: Interval] = ["a": .seconds(30)]) -> NameSchedule {
        var schedule = NameSchedule()
        schedule.watch(names, known: [:], now: time(100))
        return schedule
    }

    @Test(
        "A new name is due at once, and then when its time to live has passed, within bounds",
        arguments: [
            (Int64?.none, Int64(30)), (10, 10), (30, 30), (31, 30), (86_400, 30), (1, 1), (0, 1),
        ])
    func pauses(_ timeToLive: Int64?, _ pause: Int64) {
        var schedule = schedule()
        #expect(schedule.firstDue(now: time(100)) == "a")
        #expect(schedule.finished("a", answer([Self.one], timeToLive), now: time(101)) == true)
        #expect(schedule.nextDue == time(101 + pause))
        #expect(schedule.firstDue(now: MonotonicTime(nanoseconds: time(101 + pause).nanoseconds - 1)) == nil)
        #expect(schedule.firstDue(now: time(101 + pause)) == "a")
    }

    @Test("Only other addresses are told, and another order of the same is not")
    func changes() {
        var schedule = schedule()
        #expect(schedule.finished("a", answer([Self.one, Self.two]), now: time(100)) == true)
        #expect(schedule.finished("a", answer([Self.two, Self.one]), now: time(130)) == false)
        #expect(schedule.addresses == ["a": [Self.one, Self.two]])
        #expect(schedule.finished("a", answer([Self.two]), now: time(160)) == true)
        #expect(schedule.addresses == ["a": [Self.two]])
    }

    @Test("Addresses lose their ports")
    func ports() {
        var schedule = schedule()
        _ = schedule.finished("a", answer([Self.one.with(port: 80)]), now: time(100))
        #expect(schedule.addresses == ["a": [Self.one]])
    }

    @Test("A look-up that fails keeps what is known, and is tried again soon and then less often")
    func failures() {
        var schedule = schedule()
        _ = schedule.finished("a", answer([Self.one]), now: time(100))
        var pauses: [Int64] = []
        for _ in 0..<7 {
            #expect(schedule.finished("a", nil, now: time(1000)) == false)
            pauses.append(((schedule.nextDue ?? time(0)) - time(1000)).seconds)
        }
        #expect(pauses == [1, 2, 4, 8, 16, 30, 30])
        #expect(schedule.addresses == ["a": [Self.one]])
        _ = schedule.finished("a", answer([Self.one]), now: time(2000))
        _ = schedule.finished("a", nil, now: time(3000))
        #expect(schedule.nextDue == time(3001))
    }

    @Test("An answer without addresses is a failure")
    func empty() {
        var schedule = schedule()
        _ = schedule.finished("a", answer([Self.one]), now: time(100))
        #expect(schedule.finished("a", answer([]), now: time(200)) == false)
        #expect(schedule.nextDue == time(201))
        #expect(schedule.addresses == ["a": [Self.one]])
    }

    @Test("The name that has been due longest comes first")
    func order() {
        var schedule = schedule(["a": .seconds(30), "b": .seconds(30), "c": .seconds(30)])
        #expect(schedule.firstDue(now: time(100)) == "a")
        _ = schedule.finished("a", answer([Self.one], 3), now: time(100))
        _ = schedule.finished("b", answer([Self.one], 2), now: time(100))
        _ = schedule.finished("c", answer([Self.one], 1), now: time(100))
        #expect(schedule.firstDue(now: time(200)) == "c")
    }

    @Test("A literal address is looked up once", arguments: ["10.0.0.1", "::1"])
    func literals(_ name: String) {
        var schedule = schedule([name: .seconds(1)])
        #expect(schedule.firstDue(now: time(100)) == name)
        #expect(schedule.finished(name, answer([Self.one]), now: time(100)) == true)
        #expect(schedule.nextDue == nil)
        schedule.watch([name: .seconds(1)], known: [:], now: time(200))
        #expect(schedule.nextDue == nil)
        #expect(schedule.addresses == [name: [Self.one]])
    }

    @Test("Names that are not watched any more are forgotten, and others keep what is known")
    func watch() {
        var schedule = schedule(["a": .seconds(30), "b": .seconds(30)])
        _ = schedule.finished("a", answer([Self.one]), now: time(100))
        _ = schedule.finished("b", answer([Self.two]), now: time(100))
        schedule.watch(["b": .seconds(5), "c": .seconds(30)], known: [:], now: time(110))
        #expect(schedule.addresses == ["b": [Self.two]])
        #expect(schedule.finished("a", answer([Self.one]), now: time(110)) == false)
        #expect(schedule.firstDue(now: time(110)) == "c")
        _ = schedule.finished("c", answer([Self.one]), now: time(110))
        #expect(schedule.nextDue == time(115))
    }

    @Test("What was known before is kept until a look-up says otherwise, and the first one is told")
    func known() {
        var schedule = NameSchedule()
        schedule.watch(["a": .seconds(30)], known: ["a": [Self.one.with(port: 9)], "b": [Self.two]], now: time(0))
        #expect(schedule.addresses == ["a": [Self.one]])
        #expect(schedule.firstDue(now: time(0)) == "a")
        #expect(schedule.finished("a", answer([Self.one]), now: time(0)) == true)
        #expect(schedule.finished("a", answer([Self.one]), now: time(30)) == false)
        schedule.watch(["a": .seconds(30)], known: ["a": [Self.two]], now: time(40))
        #expect(schedule.addresses == ["a": [Self.two]])
        #expect(schedule.finished("a", answer([Self.two]), now: time(60)) == true)
    }
}
