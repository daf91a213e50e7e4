import Bytes
import Testing

@testable import Exchange

@Suite("Base64")
struct Base64Tests {
    @Test(
        "The examples of RFC 4648 §10",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func examples(plain: String, encoded: String) {
        var output = ByteQueue()
        Base64.append(Array(plain.utf8), to: &output)
        #expect(text(output) == encoded)
    }

    @Test("The alphabet is that of §4")
    func alphabet() {
        var output = ByteQueue()
        Base64.append([0xfb, 0xff, 0xbf], to: &output)
        #expect(text(output) == "+/+/")
    }
}
