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

    @Test("Every byte in every place is seen as what it is, plain or not")
    func plain() {
        for count in 1...20 {
            for position in 0..<count {
                for byte: UInt8 in 0...255 {
                    var bytes = Array(repeating: UInt8(ascii: "~"), count: count)
                    bytes[position] = byte
                    let isPlain = (0x20...0x7e).contains(byte) && byte != 0x22 && byte != 0x5c
                    let isFound = bytes.span.needsNoEscape
                    if isFound != isPlain { Issue.record("\(byte) at \(position) of \(count)") }
                }
            }
        }
        let nothing: [UInt8] = []
        let isPlain = nothing.span.needsNoEscape
        #expect(isPlain)
    }

    @Test("A digest is written as its hexadecimal digits")
    func digits() throws {
        for step: UInt8 in [0, 1, 37, 255] {
            let bytes = (0..<32).map { UInt8($0) &* step &+ 9 }
            let value = Digest256(bytes.span)
            let digest = try #require(value)
            let digits = digest.digits
            var text = ByteQueue()
            text.append(digits.span)
            #expect(Lines.text(text) == digest.hexadecimal)
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
