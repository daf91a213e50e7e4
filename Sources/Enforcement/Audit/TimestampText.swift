import Bytes

/// A moment as text (`2026-11-21T01:22:46.000001Z`), rewritten in place.
///
/// The calendar is worked out once a second: between that only the six digits of the fraction change.
struct TimestampText: ~Copyable {
    private var characters: [27 of UInt8] = .init(repeating: 0)
    private var second: Int64?

    /// Writes `time`.
    mutating func set(_ time: UnixTime) {
        let current = time.seconds
        guard current == second else {
            second = current
            rewrite(time)
            return
        }
        var fraction = UInt32(truncatingIfNeeded: time.nanoseconds - current * 1_000_000_000) / 1000
        for index in 0..<6 {
            characters[25 - index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction % 10)
            fraction /= 10
        }
    }

    /// The characters.
    var span: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get {
            characters.span
        }
    }

    private mutating func rewrite(_ time: UnixTime) {
        var text = ByteQueue()
        text.append(rfc3339: time)
        let written = text.readable
        for index in 0..<min(27, written.count) { characters[index] = written[index] }
    }
}
