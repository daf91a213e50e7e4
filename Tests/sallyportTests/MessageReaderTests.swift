import Bytes
import Testing

@testable import sallyport

@Suite("MessageReader")
struct MessageReaderTests {
    /// A reader that gets the text in pieces of `size` bytes.
    private func reader(_ text: String, pieces size: Int) -> MessageReader {
        var rest = Array(text.utf8)[...]
        return MessageReader {
            let piece = Array(rest.prefix(size))
            rest = rest.dropFirst(size)
            return piece
        }
    }

    private func body(_ reader: inout MessageReader, _ framing: MessageReader.Framing) throws -> String {
        var bytes: [UInt8] = []
        try reader.readBody(framing) { bytes.append(contentsOf: Array(copying: $0)) }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("Messages are read whatever the pieces they come in", arguments: [1, 2, 3, 7, 1000])
    func pieces(_ size: Int) throws {
        let text =
            "POST /a HTTP/1.1\r\nHost: h\r\nX-A:  b \r\nContent-Length: 5\r\n\r\nhello"
            + "PUT /b HTTP/1.1\nTransfer-Encoding: gzip, chunked\n\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: u\r\n\r\nGET /c HTTP/1.1\r\n\r\n"
        var reader = reader(text, pieces: size)
        let first = try #require(try reader.readHead())
        #expect(first.startLine == "POST /a HTTP/1.1")
        #expect(first.fields.map(\.name) == ["Host", "X-A", "Content-Length"])
        #expect(first.values("x-a") == ["b"])
        #expect(try body(&reader, MessageReader.framing(ofRequest: first)) == "hello")
        let second = try #require(try reader.readHead())
        #expect(try MessageReader.framing(ofRequest: second) == .chunked)
        #expect(try body(&reader, .chunked) == "abcde")
        #expect(try reader.readHead()?.startLine == "GET /c HTTP/1.1")
        #expect(try reader.readHead() == nil)
    }

    @Test(
        "A message that ends too early is an error",
        arguments: [
            "GET / HTTP/1.1", "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ])
    func truncatedHead(_ text: String) {
        var reader = reader(text, pieces: 4)
        #expect(throws: MessageReader.Failure.self) { try reader.readHead() }
    }

    @Test(
        "A body that ends too early is an error",
        arguments: [
            (MessageReader.Framing.length(4), "abc"), (.chunked, "3\r\nab"), (.chunked, "3\r\nabc\r\n"),
            (.chunked, "x\r\n"),
            (.chunked, "-1\r\n"), (.chunked, "1\r\nabc\r\n0\r\n\r\n"),
        ])
    func truncatedBody(_ framing: MessageReader.Framing, _ text: String) {
        var reader = reader(text, pieces: 4)
        #expect(throws: MessageReader.Failure.self) { try body(&reader, framing) }
    }

    @Test("A body without framing lasts until the stream ends")
    func untilClose() throws {
        var reader = reader("HTTP/1.1 200 OK\r\n\r\nall of it", pieces: 4)
        let head = try #require(try reader.readHead())
        let framing = try MessageReader.framing(ofAnswer: head, status: 200, method: "GET")
        #expect(framing == .untilClose)
        #expect(try body(&reader, framing) == "all of it")
    }

    @Test("Some answers have no body", arguments: [("HEAD", 200), ("GET", 204), ("GET", 304), ("GET", 100)])
    func noBody(_ method: String, _ status: Int) throws {
        let head = MessageReader.Head(startLine: "", fields: [("Content-Length", "5")])
        #expect(try MessageReader.framing(ofAnswer: head, status: status, method: method) == .none)
        #expect(try MessageReader.framing(ofAnswer: head, status: 200, method: "GET") == .length(5))
    }
}
