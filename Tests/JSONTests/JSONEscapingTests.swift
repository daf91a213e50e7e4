import Bytes
import JSON
import Testing

@Suite("An escaped JSON string")
struct JSONEscapingTests {
    @Test(
        "Only what must be escaped is",
        arguments: [
            ("", #""""#), ("plain /é😀\u{7F}", "\"plain /é😀\u{7F}\""), ("\"\\", #""\"\\""#),
            ("\n\r\t\u{0}\u{8}\u{1F}", #""\n\r\t\u0000\u0008\u001f""#),
        ])
    func escaped(text: String, expected: String) {
        var queue = ByteQueue()
        queue.append(jsonString: text)
        let written = String(validating: queue.readable)
        #expect(written == expected)
    }

    @Test("Every character survives the way out and back")
    func roundTrip() throws {
        let text = String(String.UnicodeScalarView((0..<0x500).compactMap(Unicode.Scalar.init))) + "😀"
        var queue = ByteQueue()
        queue.append(jsonString: text)
        let document = try JSONDocument(queue.readable)
        let read = document.root.string
        #expect(read == text)
    }
}
