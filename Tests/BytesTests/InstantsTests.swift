import Bytes
import Testing

@Suite("Moments")
struct InstantsTests {
    @Test(
        "The calendar is read in UTC",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_795_223_566, "2026-11-21T01:12:46.000000Z"), (4_102_444_799, "2099-12-31T23:59:59.000000Z"),
            (-1, "1969-12-31T23:59:59.000000Z"),
        ])
    func writesCalendar(seconds: Int64, text: String) {
        var queue = ByteQueue()
        queue.append(rfc3339: UnixTime(seconds: seconds))
        let written = String(validating: queue.readable)
        #expect(written == text)
    }

    @Test("Microseconds are written, what is shorter is cut off")
    func writesMicroseconds() {
        var queue = ByteQueue()
        queue.append(rfc3339: UnixTime(nanoseconds: 1_234_567_899))
        let written = String(validating: queue.readable)
        #expect(written == "1970-01-01T00:00:01.234567Z")
    }

    @Test(
        "Seconds are rounded down, before the epoch too",
        arguments: [(1_999_999_999, 1), (-1, -1), (-1_000_000_000, -1)])
    func rounds(nanoseconds: Int64, seconds: Int64) {
        #expect(UnixTime(nanoseconds: nanoseconds).seconds == seconds)
    }

    @Test("Sums are held at the ends of the range instead of overflowing")
    func saturates() {
        let late = UnixTime(nanoseconds: .max)
        #expect(late + .seconds(1) == late)
        #expect(UnixTime(nanoseconds: .min) - .seconds(1) == UnixTime(nanoseconds: .min))
        #expect(UnixTime(seconds: .max).seconds == Int64.max / 1_000_000_000)
        #expect(Interval.seconds(.max).nanoseconds > 0)
    }
}
