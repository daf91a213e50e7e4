/// The calendar reading of a moment, in UTC (proleptic Gregorian).
public struct CivilTime: Equatable, Sendable {
    /// The year, such as 2026.
    public let year: Int
    /// The month, 1 to 12.
    public let month: Int
    /// The day of the month, 1 to 31.
    public let day: Int
    /// The hour, 0 to 23.
    public let hour: Int
    /// The minute, 0 to 59.
    public let minute: Int
    /// The second, 0 to 59.
    public let second: Int
    /// Microseconds within the second.
    public let microsecond: Int

    /// Reads the calendar at `time`.
    public init(_ time: UnixTime) {
        let seconds = time.seconds
        let secondOfDay = Int(((seconds % 86_400) + 86_400) % 86_400)
        let days = Int((seconds - Int64(secondOfDay)) / 86_400)
        (year, month, day) = Self.date(daysSinceEpoch: days)
        hour = secondOfDay / 3600
        minute = secondOfDay / 60 % 60
        second = secondOfDay % 60
        microsecond = Int((time.nanoseconds - seconds * 1_000_000_000) / 1000)
    }

    /// Days since 1970-01-01 to a date, counting years from March so that the leap day comes last.
    private static func date(daysSinceEpoch days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension ByteQueue {
    /// Appends `time` as RFC 3339 in UTC with microseconds: `2026-11-21T01:22:46.000001Z`.
    public mutating func append(rfc3339 time: UnixTime) {
        let civil = CivilTime(time)
        append(padded: civil.year, to: 4)
        append(UInt8(ascii: "-"))
        append(padded: civil.month, to: 2)
        append(UInt8(ascii: "-"))
        append(padded: civil.day, to: 2)
        append(UInt8(ascii: "T"))
        append(padded: civil.hour, to: 2)
        append(UInt8(ascii: ":"))
        append(padded: civil.minute, to: 2)
        append(UInt8(ascii: ":"))
        append(padded: civil.second, to: 2)
        append(UInt8(ascii: "."))
        append(padded: civil.microsecond, to: 6)
        append(UInt8(ascii: "Z"))
    }

    private mutating func append(padded number: Int, to width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }
}
