extension UnixTime {
    /// Reads a moment as people write it (RFC 3339), such as `2026-11-21T01:22:46Z` or `2026-11-21T02:22:46.5+01:00`, to the
    /// nanosecond; nothing where the text is not exactly a moment that exists, from 1970 to 2261.
    public init?(rfc3339 text: String) {
        let pattern =
            /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))/
            .asciiOnlyDigits()
        guard let match = text.wholeMatch(of: pattern), let year = Int(match.1), let month = Int(match.2),
            let day = Int(match.3), let hour = Int(match.4), let minute = Int(match.5), let second = Int(match.6)
        else { return nil }
        let (offsetHours, offsetMinutes) = (Int(match.9 ?? "0") ?? 0, Int(match.10 ?? "0") ?? 0)
        guard (1970...2261).contains(year), (1...12).contains(month), hour < 24, minute < 60, second < 60,
            offsetHours < 24, offsetMinutes < 60
        else { return nil }
        let days = Self.days(year, month, day)
        let offset = (offsetHours * 60 + offsetMinutes) * (match.8 == "-" ? -60 : 60)
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset
        let fraction = Int64((match.7.map(String.init) ?? "").padding(to: 9)) ?? 0
        let time = UnixTime(nanoseconds: Int64(seconds) * 1_000_000_000 + fraction)
        // A day that the month does not have comes out as one of the next month.
        let civil = CivilTime(UnixTime(seconds: Int64(days) * 86_400))
        guard civil.month == month, civil.day == day else { return nil }
        self = time
    }

    /// Days from 1970-01-01, counting years from March so that the leap day comes last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let year = month <= 2 ? year - 1 : year
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
    }
}

extension String {
    /// The digits with zeros behind them.
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: "0", count: Swift.max(0, width - count))
    }
}
