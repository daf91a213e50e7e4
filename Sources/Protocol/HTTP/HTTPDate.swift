public import Bytes

extension ByteQueue {
    /// Appends `time` as HTTP writes it, to the second: `Sun, 06 Nov 1994 08:49:37 GMT` (IMF-fixdate, RFC 9110 §5.6.7).
    public mutating func append(httpDate time: UnixTime) {
        let civil = CivilTime(time)
        append(Self.weekday(time))
        appendTwoDigits(civil.day)
        append(Self.month(civil.month))
        appendTwoDigits(civil.year / 100)
        appendTwoDigits(civil.year % 100)
        append(UInt8(ascii: " "))
        appendTwoDigits(civil.hour)
        append(UInt8(ascii: ":"))
        appendTwoDigits(civil.minute)
        append(UInt8(ascii: ":"))
        appendTwoDigits(civil.second)
        append(" GMT")
    }

    private mutating func appendTwoDigits(_ number: Int) {
        append(UInt8(ascii: "0") + UInt8(number / 10))
        append(UInt8(ascii: "0") + UInt8(number % 10))
    }

    private static func weekday(_ time: UnixTime) -> StaticString {
        let seconds = time.seconds
        let days = (seconds - ((seconds % 86_400) + 86_400) % 86_400) / 86_400
        return switch ((days % 7) + 7) % 7 {
        case 0: "Thu, "
        case 1: "Fri, "
        case 2: "Sat, "
        case 3: "Sun, "
        case 4: "Mon, "
        case 5: "Tue, "
        default: "Wed, "
        }
    }

    private static func month(_ number: Int) -> StaticString {
        switch number {
        case 1: " Jan "
        case 2: " Feb "
        case 3: " Mar "
        case 4: " Apr "
        case 5: " May "
        case 6: " Jun "
        case 7: " Jul "
        case 8: " Aug "
        case 9: " Sep "
        case 10: " Oct "
        case 11: " Nov "
        default: " Dec "
        }
    }
}
