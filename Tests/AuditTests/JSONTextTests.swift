import Bytes
import JSON
import Testing

@testable import Audit

@Suite("Text in audit records")
struct JSONTextTests {
    private func escape(_ bytes: [UInt8]) -> String {
        var queue = ByteQueue()
        queue.append(escapingJSON: bytes.span)
        return Lines.text(queue)
    }

    @Test(
        "What JSON or a terminal would read otherwise is escaped, nothing else",
        arguments: [
            ("", ""),
            ("plain text", "plain text"),
            ("\"\\/", #"\"\\/"#),
            ("\u{8}\u{9}\u{a}\u{c}\u{d}", #"\b\t\n\f\r"#),
            ("a\u{0}b\u{1f}c\u{7f}d", #"a\u0000b\u001fc\u007fd"#),
            ("\u{80}\u{9f}\u{a0}", "\\u0080\\u009f\u{a0}"),
            ("é€😀", "é€😀"),
            ("\u{fffd}", "\u{fffd}"),
            ("é\"é", #"é\"é"#),
        ])
    func escapes(text: String, expected: String) {
        #expect(escape(Array(text.utf8)) == expected)
    }

    @Test(
        "Every byte that is not part of well-formed UTF-8 is written as the escape of U+FFFD",
        arguments: [
            ([0xff], 1), ([0x80], 1), ([0xc3], 1), ([0xc0, 0xaf], 2), ([0xe2, 0x82], 2), ([0xed, 0xa0, 0x80], 3),
            ([0xf4, 0x90, 0x80, 0x80], 4), ([0xf0, 0x80, 0x80, 0x80], 4), ([0xe0, 0x80, 0x80], 3), ([0xf5], 1),
        ] as [([UInt8], Int)])
    func malformed(bytes: [UInt8], count: Int) {
        let expected = "a" + String(repeating: #"\ufffd"#, count: count) + "z"
        #expect(escape([0x61] + bytes + [0x7a]) == expected)
    }

    @Test("Whatever the bytes, the result is JSON that says the same where it is well-formed")
    func roundTrip() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let scalars = (0..<12).map { _ in Unicode.Scalar(UInt32.random(in: 0..<0xd800, using: &generator)) }
            let text = String(String.UnicodeScalarView(scalars.compactMap { $0 }))
            let document = try JSONDocument(("\"" + escape(Array(text.utf8)) + "\"").utf8.span)
            let read = document.root.string
            #expect(read?.utf8.elementsEqual(text.utf8) == true)
            let noise = (0..<24).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(throws: Never.self) { _ = try JSONDocument(("\"" + escape(noise) + "\"").utf8.span) }
        }
    }

    @Test(
        "Order is that of code points: by bytes, a beginning first",
        arguments: [
            ("", "a", true), ("a", "a", false), ("a", "b", true), ("b", "a", false), ("a", "ab", true),
            ("ab", "a", false),
            ("z", "é", true), ("\u{ffff}", "\u{10000}", true),
        ])
    func order(left: String, right: String, expected: Bool) {
        #expect(left.utf8.span.precedes(right.utf8.span) == expected)
    }
}
