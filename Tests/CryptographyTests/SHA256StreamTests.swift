import Bytes
import Cryptography
import Testing

@Suite("SHA-256 of a stream")
struct SHA256StreamTests {
    @Test("However a message is cut, its digest is that of the whole", arguments: [1, 7, 63, 64, 65, 1000])
    func pieces(size: Int) throws {
        let engine = try CryptographicEngine()
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        let stream = engine.makeSHA256()
        for start in stride(from: 0, to: message.count, by: size) {
            stream.update(message.span.extracting(start..<min(start + size, message.count)))
        }
        #expect(stream.finish() == engine.sha256(message))
    }

    @Test("A finished stream begins a new message")
    func reuse() throws {
        let engine = try CryptographicEngine()
        let stream = engine.makeSHA256()
        let empty = stream.finish()
        stream.update("abc".utf8.span)
        #expect(stream.finish() == engine.sha256("abc"))
        #expect(stream.finish() == empty)
    }

    @Test("Streams and the engine do not disturb one another")
    func independence() throws {
        let engine = try CryptographicEngine()
        let (first, second) = (engine.makeSHA256(), engine.makeSHA256())
        first.update("a".utf8.span)
        second.update("x".utf8.span)
        _ = engine.sha256("noise")
        first.update("bc".utf8.span)
        #expect(first.finish() == engine.sha256("abc"))
        #expect(second.finish() == engine.sha256("x"))
    }
}
