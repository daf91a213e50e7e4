import Bytes
import Testing

@Suite("Base64url")
struct Base64URLTests {
    @Test(
        "RFC 4648 §10, without padding",
        arguments: [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
            ("foobar", "Zm9vYmFy"),
        ])
    func goesBothWays(text: String, encoded: String) {
        let bytes = Array(text.utf8)
        #expect(Base64URL.encode(bytes: bytes) == encoded)
        #expect(Base64URL.decode(text: encoded) == bytes)
    }

    @Test("The two characters of its own alphabet")
    func usesItsAlphabet() {
        let bytes: [UInt8] = [0xfb, 0xff, 0xbf]
        #expect(Base64URL.encode(bytes: bytes) == "-_-_")
        #expect(Base64URL.decode(text: "-_-_") == bytes)
    }

    @Test(
        "P2: padding, white space, the other alphabet, an impossible length or trailing bits are refused",
        arguments: ["Zg==", "Zg=", "Z g", "Zg\n", "+/+/", "Z", "Zm9vY", "Zh", "Zm9", "Zm8é", "Zg\u{0}"])
    func refuses(text: String) {
        #expect(Base64URL.decode(text: text) == nil)
    }
}

@Suite("Hexadecimal")
struct HexadecimalTests {
    @Test("Digits go both ways")
    func goesBothWays() {
        let bytes: [UInt8] = [0, 0x0f, 0xa5, 0xff]
        #expect(Hexadecimal.encode(bytes: bytes) == "000fa5ff")
        #expect(Hexadecimal.decode(text: "000fa5ff") == bytes)
    }

    @Test("Upper case, half a byte and other characters are refused", arguments: ["A5", "a", "0g", " 0"])
    func refuses(text: String) {
        #expect(Hexadecimal.decode(text: text) == nil)
    }

    @Test("A word has sixteen digits")
    func writesWords() {
        var queue = ByteQueue()
        queue.append(hexadecimal: 0xdead_beef)
        let text = String(validating: queue.readable)
        #expect(text == "00000000deadbeef")
    }
}

@Suite("Digests")
struct Digest256Tests {
    private static let text = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

    @Test("It reads and writes its three forms")
    func goesBothWays() throws {
        let digest = try #require(Digest256(hexadecimalText: Self.text))
        let base64URL = digest.base64URL
        #expect(digest.hexadecimal == Self.text)
        #expect(base64URL == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        #expect(Digest256(base64URLText: base64URL) == digest)
        let bytes = digest.bytes
        let again = Digest256(bytes.span)
        #expect(again == digest)
    }

    @Test("Other lengths are refused", arguments: [0, 31, 33])
    func refusesLengths(count: Int) {
        let bytes = [UInt8](repeating: 1, count: count)
        #expect(Digest256(bytes: bytes) == nil)
    }

    @Test(
        "M2: a padded, hexadecimal or short thumbprint is not base64url of one",
        arguments: [
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", text, "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9",
        ])
    func refusesForms(text: String) {
        #expect(Digest256(base64URLText: text) == nil)
    }

    @Test("A difference in any byte is seen", arguments: 0..<32)
    func compares(index: Int) {
        var bytes = [UInt8](repeating: 7, count: 32)
        let one = Digest256(bytes: bytes)
        bytes[index] ^= 1
        let other = Digest256(bytes: bytes)
        #expect(one != other)
    }
}

@Suite("Comparing bytes")
struct ByteComparisonTests {
    private func equal(_ one: String, _ other: String) -> Bool { one.utf8.span.equals(other.utf8.span) }

    @Test(
        "Equal are the same bytes",
        arguments: [
            ("", "", true), ("abc", "abc", true), ("abc", "abd", false), ("abc", "ab", false), ("abc", "ABC", false),
        ])
    func compares(one: String, other: String, same: Bool) {
        #expect(equal(one, other) == same)
        let constant = one.utf8.span.equalsInConstantTime(other.utf8.span)
        #expect(constant == same)
    }

    @Test(
        "Letters only are folded",
        arguments: [("Bearer", true), ("BEARER", true), ("bearer", true), ("beare\u{12}", false), ("bearers", false)])
    func folds(text: String, same: Bool) {
        let result = text.utf8.span.equalsIgnoringCase("bearer")
        #expect(result == same)
    }

    @Test("Text is made of well-formed UTF-8 only")
    func validates() {
        let good: [UInt8] = [0x68, 0xc3, 0xa9]
        let bad: [UInt8] = [0x68, 0xc3]
        #expect(String(validatingBytes: good) == "hé")
        #expect(String(validatingBytes: bad) == nil)
    }
}
