import Bytes
import Testing

@testable import Audit

@Suite("Moments in audit records")
struct TimestampTextTests {
    @Test("A moment written over another is as if written alone")
    func rewriting() {
        var text = TimestampText()
        let moments: [Int64] = [
            0, 1_000, 999_999_999, 1_000_000_000, 1_000_000_999, 1_799_999_999_999_999_999, 1_800_000_000_000_000_000,
            1_800_000_000_123_456_000, 1_799_999_999_000_001_000, -1, -1_000_000_000, -999_000_000,
        ]
        for moment in moments {
            let time = UnixTime(nanoseconds: moment)
            text.set(time)
            var expected = ByteQueue()
            expected.append(rfc3339: time)
            let isSame = text.span.equals(expected.readable)
            #expect(isSame, "at \(moment)")
        }
    }
}
