/// Whole numbers as an operator writes them: decimal digits and nothing else.
enum DecimalText {
    /// The number, or nothing where the text holds anything but digits, a leading zero, or too many of them.
    static func number(_ text: some StringProtocol) -> UInt64? {
        let digits = text.utf8
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        guard digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        return UInt64(text)
    }
}
