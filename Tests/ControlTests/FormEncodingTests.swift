import Testing

@testable import Control

@Suite("Form encoding")
struct FormEncodingTests {
    @Test(
        "Bytes are spelled as forms spell them (RFC 6749 appendix B)",
        arguments: [
            ("abcXYZ019-._*", "abcXYZ019-._*"), ("a b", "a+b"), ("a+b", "a%2Bb"), ("a:b", "a%3Ab"),
            ("a&b=c", "a%26b%3Dc"),
            ("100%", "100%25"), ("~", "%7E"), (" %&+£€", "+%25%26%2B%C2%A3%E2%82%AC"), ("", ""),
        ])
    func spells(text: String, expected: String) {
        var output: [UInt8] = []
        FormEncoding.append(Array(text.utf8), to: &output)
        #expect(String(decoding: output, as: UTF8.self) == expected)
    }
}
