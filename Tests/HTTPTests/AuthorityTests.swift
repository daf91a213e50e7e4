import Bytes
import HTTP
import Testing

@Suite("Authority")
struct AuthorityTests {
    @Test(
        "A host, with or without a port, is read",
        arguments: [
            ("example.com", "example.com", nil), ("Example.COM:8443", "Example.COM", 8443), ("a", "a", nil),
            ("a_b-c.d.", "a_b-c.d.", nil), ("127.0.0.1:1", "127.0.0.1", 1), ("h:65535", "h", 65_535),
            ("[::1]", "[::1]", nil), ("[::]:80", "[::]", 80), ("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]", nil),
            ("[fe80::AbCd]", "[fe80::AbCd]", nil), ("[::ffff:192.0.2.1]:443", "[::ffff:192.0.2.1]", 443),
            ("[1:2:3:4:5:6:192.0.2.1]", "[1:2:3:4:5:6:192.0.2.1]", nil), ("[1::8]", "[1::8]", nil),
            ("[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]", nil),
        ] as [(String, String, UInt16?)])
    func reads(text: String, host: String, port: UInt16?) throws {
        let bytes = Array(text.utf8)
        let parsed = Authority(bytes.span)
        let authority = try #require(parsed)
        #expect(String(decoding: bytes[authority.host.offsets], as: UTF8.self) == host)
        #expect(authority.port == port)
    }

    @Test(
        "What is no plain host and port is refused",
        arguments: [
            "", ":80", "a:", "a:0", "a:080", "a:65536", "a:123456", "a:+1", "a:1a", "a:80:80", "user@a", "a b", "a/b",
            "a?",
            "a#", ".a", "a..b", ".", "é", "a%41", "a,b", "a;b", "a\u{0}", "a\r", "[::1", "::1", "[::1]80", "[::1]:",
            "[]",
            "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[1::2::3]", "[:::]", "[:1]", "[1:]", "[12345::]", "[g::]",
            "[1:2:3:4:5:6:7::8]", "[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]", "[1.2.3.4]", "[::1%25eth0]", "[v1.a]",
            "[1:2:3:4:5:6:7:1.2.3.4]", "a[::1]",
        ])
    func refuses(text: String) {
        let authority = Authority(Array(text.utf8).span)
        #expect(authority == nil)
    }

    @Test("Authorities agree when they differ in case only")
    func agree() {
        #expect(Self.agree("Example.com:1", "eXAMPLE.com:1"))
        #expect(!Self.agree("Example.com:1", "example.com:2"))
        #expect(!Self.agree("Example.com:1", "example.com"))
    }

    static func agree(_ one: String, _ other: String) -> Bool {
        Authority.agree(Array(one.utf8).span, Array(other.utf8).span)
    }
}
