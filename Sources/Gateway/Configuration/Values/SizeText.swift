/// Sizes as an operator writes them: `8KiB`, `1MiB`, `2GiB`, or a plain number of bytes.
enum SizeText {
    private static let units: [(suffix: String, shift: UInt64)] = [("KiB", 10), ("MiB", 20), ("GiB", 30)]

    /// The number of bytes, or nothing where the text is not a size or is too large for 64 bits.
    static func bytes(_ text: String) -> UInt64? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return DecimalText.number(text) }
        guard let number = DecimalText.number(text.dropLast(unit.suffix.count)) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << unit.shift)
        return overflow ? nil : bytes
    }
}
