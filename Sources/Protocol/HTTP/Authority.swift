public import Bytes

/// Who a request is addressed to: `host` or `host:port` (RFC 3986 §3.2, RFC 9110 §7.2).
///
/// Stricter than the grammar where nobody honest differs: no user information, no escapes or sub-delimiters in a name, no
/// empty label, no empty, zero or zero-padded port, no zone in an IPv6 address.
public struct Authority: Equatable, Sendable {
    /// Where the host lies in the text; an IPv6 address with its brackets.
    public let host: ByteRange
    /// The port where one is named.
    public let port: UInt16?

    /// Reads `text`; nothing where it is not a valid authority.
    public init?(_ text: Span<UInt8>) {
        guard let end = Self.endOfHost(text) else { return nil }
        host = ByteRange(start: 0, count: end)
        guard end < text.count else {
            port = nil
            return
        }
        guard text[end] == UInt8(ascii: ":"), let number = Self.port(text.extracting((end + 1)...)) else { return nil }
        port = number
    }

    /// Whether two authorities are the same text when ASCII letters are read as lower case.
    public static func agree(_ one: Span<UInt8>, _ other: Span<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        for index in one.indices where one[index].asciiLowercased != other[index].asciiLowercased { return false }
        return true
    }

    /// The offset behind a valid host at the start of `text`.
    private static func endOfHost(_ text: Span<UInt8>) -> Int? {
        guard !text.isEmpty else { return nil }
        if text[0] == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            return isIPv6(text.extracting(1..<close)) ? close + 1 : nil
        }
        var end = 0
        var previous = UInt8(ascii: ".")
        while end < text.count, ByteSet.hostName.contains(text[end]) {
            let byte = text[end]
            if byte == UInt8(ascii: "."), previous == UInt8(ascii: ".") { return nil }
            previous = byte
            end += 1
        }
        return end > 0 ? end : nil
    }

    private static func port(_ digits: Span<UInt8>) -> UInt16? {
        guard (1...5).contains(digits.count), digits[0] != UInt8(ascii: "0") else { return nil }
        guard let number = decimal(digits), number <= 65_535 else { return nil }
        return UInt16(number)
    }

    /// The value of one to five digits.
    private static func decimal(_ digits: Span<UInt8>) -> Int? {
        var number = 0
        for index in digits.indices {
            let digit = digits[index] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            number = number * 10 + Int(digit)
        }
        return number
    }

    /// Whether `text` is an IPv6 address (RFC 3986 §3.2.2): eight groups, or fewer around one `::`, the last two perhaps
    /// written as IPv4.
    private static func isIPv6(_ text: Span<UInt8>) -> Bool {
        var groups = 0
        var hasGap = false
        var index = 0
        if text.count >= 2, text[0] == UInt8(ascii: ":") {
            guard text[1] == UInt8(ascii: ":") else { return false }
            hasGap = true
            index = 2
        }
        while index < text.count {
            var end = index
            while end < text.count, text[end].hexadecimalValue < 16 { end += 1 }
            if end < text.count, text[end] == UInt8(ascii: ".") {
                guard isIPv4(text.extracting(index...)) else { return false }
                groups += 2
                break
            }
            guard (1...4).contains(end - index) else { return false }
            groups += 1
            guard end < text.count else { break }
            guard text[end] == UInt8(ascii: ":"), end + 1 < text.count else { return false }
            index = end + 1
            if text[index] == UInt8(ascii: ":") {
                guard !hasGap else { return false }
                hasGap = true
                index += 1
            }
        }
        return hasGap ? groups < 8 : groups == 8
    }

    private static func isIPv4(_ text: Span<UInt8>) -> Bool {
        var index = 0
        for part in 0..<4 {
            let end = text.firstIndex(of: UInt8(ascii: "."), from: index) ?? text.count
            guard (end == text.count) == (part == 3), (1...3).contains(end - index) else { return false }
            guard end - index == 1 || text[index] != UInt8(ascii: "0") else { return false }
            guard let number = decimal(text.extracting(index..<end)), number < 256 else { return false }
            index = end + 1
        }
        return true
    }
}
