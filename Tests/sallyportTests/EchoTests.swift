import Bytes
import Cryptography
import JSON
import Testing

@testable import sallyport

@Suite("The echo service")
struct EchoTests {
    @Test(
        "The query says what to answer",
        arguments: [
            ("/", 200, nil as Int?, false), ("/?status=404", 404, nil, false), ("/?bytes=10&chunked=1", 200, 10, true),
            ("/a?x=1&status=500&y", 500, nil, false), ("/?status=99&bytes=-1&chunked=2", 200, nil, false),
        ])
    func wish(_ target: String, _ status: Int, _ byteCount: Int?, _ isChunked: Bool) {
        let wish = EchoWish(target: target)
        #expect(wish.status == status)
        #expect(wish.byteCount == byteCount)
        #expect(wish.isChunked == isChunked)
    }

    @Test("The content is the same from whatever offset it is made", arguments: [0, 1, 250, 251, 65_536, 1_000_003])
    func content(_ offset: Int) {
        let bytes = Array(EchoWish.content(offset, 600))
        #expect(bytes.count == 600)
        #expect(bytes.enumerated().allSatisfy { Int($0.element) == (offset + $0.offset) % 251 })
    }

    @Test("The report is JSON with what came")
    func report() throws {
        var body = EchoBody(hash: try CryptographicEngine().makeSHA256())
        body.take("ab".utf8.span)
        body.take("c\"".utf8.span)
        let bytes = body.report(method: "POST", target: "/x?\"", fields: [("A", "1"), ("a", "\\")])
        let text = String(decoding: bytes, as: UTF8.self)
        _ = try JSONDocument(bytes.span)
        #expect(
            text == """
                {"method":"POST","target":"/x?\\"","headers":[["A","1"],["a","\\\\"]],\
                "body_sha256":"\(try CryptographicEngine().sha256("abc\"".utf8.span).hexadecimal)",\
                "body_bytes":4,"body":"abc\\""}

                """)
    }

    @Test("A body that is long, or no text, is not repeated")
    func noText() throws {
        var long = EchoBody(hash: try CryptographicEngine().makeSHA256())
        let block = [UInt8](repeating: 0x61, count: 64 << 10)
        long.take(block.span)
        long.take(block.span)
        let report = String(decoding: long.report(method: "GET", target: "/", fields: []), as: UTF8.self)
        #expect(report.hasSuffix("\"body_bytes\":131072,\"body\":null}\n"))
        var binary = EchoBody(hash: try CryptographicEngine().makeSHA256())
        let bytes: [UInt8] = [0xFF, 0x00]
        binary.take(bytes.span)
        let other = String(decoding: binary.report(method: "GET", target: "/", fields: []), as: UTF8.self)
        #expect(other.hasSuffix("\"body_bytes\":2,\"body\":null}\n"))
    }
}
