public import Bytes

/// Durations as an operator writes them: `250ms`, `30s`, `5m`, `1h`.
public enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000),
    ]

    /// The length of time, or nothing where the text is not one or is longer than 292 years.
    public static func interval(_ text: String) -> Interval? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let number = DecimalText.number(text.dropLast(unit.suffix.count)),
                let count = Int64(exactly: number)
            else { continue }
            let (nanoseconds, overflow) = count.multipliedReportingOverflow(by: unit.nanoseconds)
            return overflow ? nil : Interval(nanoseconds: nanoseconds)
        }
        return nil
    }

    /// The text of a length of time, in the largest unit that divides it; finer parts than 1 ms are dropped.
    public static func text(_ interval: Interval) -> String {
        for unit in units.reversed() where interval.nanoseconds % unit.nanoseconds == 0 && interval.nanoseconds != 0 {
            return "\(interval.nanoseconds / unit.nanoseconds)\(unit.suffix)"
        }
        return "\(interval.nanoseconds / 1_000_000)ms"
    }
}
