import Bytes

/// Gathers an answer from the pieces that arrive, within bounds.
struct AnswerCollector {
    /// The most bytes in all lines of the heads, interim answers included.
    static let headLimit = 64 << 10

    /// Whether it was more than the bounds allow.
    private(set) var isTooLarge = false
    /// Whether the last head that began has ended: the library is content with less.
    private(set) var hasHead = false
    private(set) var fields: [String: String] = [:]
    private(set) var body: [UInt8] = []
    private let bodyLimit: Int
    private var headCount = 0

    /// Starts with nothing.
    init(bodyLimit: Int) {
        self.bodyLimit = bodyLimit
    }

    /// Takes a line of the head, its end included: a status line, a field line, or the empty line; false where that is too much.
    mutating func takeHead(_ line: Span<UInt8>) -> Bool {
        headCount += line.count
        guard headCount <= Self.headLimit else {
            isTooLarge = true
            return false
        }
        // Lines behind the content are trailer fields: nobody asked for them.
        guard body.isEmpty else { return true }
        let text = String(decoding: Array(copying: line), as: UTF8.self)
        guard !text.hasPrefix("HTTP/") else {
            // Each answer has a status line; what stood before was an interim one.
            fields = [:]
            hasHead = false
            return true
        }
        guard text != "\r\n", text != "\n" else {
            hasHead = true
            return true
        }
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return true }
        let name = text[..<colon].lowercased()
        let value = Self.trimmed(text[text.index(after: colon)...])
        fields[name] = fields[name].map { $0 + ", " + value } ?? value
        return true
    }

    /// Takes a piece of the content; false where that is too much.
    mutating func takeBody(_ bytes: Span<UInt8>) -> Bool {
        guard bytes.count <= bodyLimit - body.count else {
            isTooLarge = true
            return false
        }
        body += Array(copying: bytes)
        return true
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return String(text.drop { $0.isWhitespace })
    }
}
