import Bytes

/// The moments of AgentWrit records: `2026-02-15T12:00:00.123456789Z`, the fraction being optional (RFC 3339 §5.6, in UTC).
enum Timestamp {
    /// Reads a moment, or nothing where it is not written so, or there is no such day.
    static func read(_ text: Span<UInt8>) -> UnixTime? {
        guard hasForm(text), let date = secondsOfDate(text), let time = secondsOfDay(text) else { return nil }
        var nanoseconds: Int64 = 0
        for index in 20..<max(20, text.count - 1) { nanoseconds = nanoseconds * 10 + digit(text[index]) }
        for _ in max(20, text.count - 1)..<29 { nanoseconds *= 10 }
        return UnixTime(nanoseconds: (date + time) * 1_000_000_000 + nanoseconds)
    }

    private static func hasForm(_ text: Span<UInt8>) -> Bool {
        let format = "0000-00-00T00:00:00"
        let form = format.utf8.span
        let length = form.count
        guard text.count > length, text[text.count - 1] == UInt8(ascii: "Z") else { return false }
        for index in 0..<length {
            guard form[index] == UInt8(ascii: "0") ? isDigit(text[index]) : text[index] == form[index] else {
                return false
            }
        }
        guard text.count > length + 1 else { return true }
        guard text[length] == UInt8(ascii: "."), (3...11).contains(text.count - length) else { return false }
        for index in length + 1..<text.count - 1 where !isDigit(text[index]) { return false }
        return true
    }

    /// The seconds from 1970 to the beginning of the day; the calendar reads it back, or there is no such day.
    ///
    /// The years are those that 64 bits of nanoseconds hold.
    private static func secondsOfDate(_ text: Span<UInt8>) -> Int64? {
        let (year, month, day) = (number(text, 0..<4), number(text, 5..<7), number(text, 8..<10))
        guard (1970...2200).contains(year), (1...12).contains(month), day >= 1 else { return nil }
        let shifted = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        let civil = CivilTime(UnixTime(seconds: days * 86_400))
        guard (civil.year, civil.month, civil.day) == (Int(year), Int(month), Int(day)) else { return nil }
        return days * 86_400
    }

    private static func secondsOfDay(_ text: Span<UInt8>) -> Int64? {
        let (hour, minute, second) = (number(text, 11..<13), number(text, 14..<16), number(text, 17..<19))
        guard hour < 24, minute < 60, second < 60 else { return nil }
        return hour * 3600 + minute * 60 + second
    }

    private static func number(_ text: Span<UInt8>, _ range: Range<Int>) -> Int64 {
        var number: Int64 = 0
        for index in range { number = number * 10 + digit(text[index]) }
        return number
    }

    private static func digit(_ byte: UInt8) -> Int64 { Int64(byte - UInt8(ascii: "0")) }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
