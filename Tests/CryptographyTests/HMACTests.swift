import Bytes
import Cryptography
import Testing

@Suite("HMAC-SHA-256")
struct HMACTests {
    /// The test cases of RFC 4231 §4 that are not truncated.
    @Test(
        "The examples of RFC 4231 come out",
        arguments: [
            (
                [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
            ),
            (
                Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
            ),
            (
                [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
            ),
            (
                [UInt8](repeating: 0xaa, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
            ),
        ])
    func examples(key: [UInt8], message: [UInt8], digest: String) throws {
        let engine = try CryptographicEngine()
        #expect(engine.hmacSHA256(key: key.span, message: message.span).hexadecimal == digest)
    }

    @Test("A key of one block and one of a byte more are treated as they are, and hashed")
    func keyLengths() throws {
        let engine = try CryptographicEngine()
        let block = [UInt8](repeating: 0xaa, count: 64)
        let hashed = engine.sha256((block + [1]).span).bytes
        let message: [UInt8] = [1, 2, 3]
        let long = engine.hmacSHA256(key: (block + [1]).span, message: message.span)
        #expect(engine.hmacSHA256(key: hashed.span, message: message.span) == long)
        let padded = engine.hmacSHA256(key: (Array(block.dropLast()) + [0]).span, message: message.span)
        let short = Array(block.dropLast())
        #expect(engine.hmacSHA256(key: short.span, message: message.span) == padded)
        #expect(engine.hmacSHA256(key: block.span, message: message.span) != long)
    }
}
