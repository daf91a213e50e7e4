import Testing

@testable import Possession

@Suite("Target URIs")
struct TargetURITests {
    private static let origins = ["https://api.example.test", "https://localhost:8443", "http://[2001:db8::1]:8080"]
        .compactMap(TargetOrigin.init)

    private func matches(_ uri: String, _ path: String = "/orders/17") -> Bool {
        TargetURI.matches(uri.utf8.span, origins: Self.origins, path: path.utf8.span)
    }

    @Test(
        "D9: What RFC 3986 calls the same URI is the same",
        arguments: [
            ("https://api.example.test/orders/17", "/orders/17"), ("HTTPS://api.example.test/orders/17", "/orders/17"),
            ("https://API.Example.TEST/orders/17", "/orders/17"),
            ("https://api.example.test:443/orders/17", "/orders/17"),
            ("https://api.example.test:/orders/17", "/orders/17"), ("https://localhost:8443/orders/17", "/orders/17"),
            ("https://%61pi.example%2Etest/orders/17", "/orders/17"), ("http://[2001:DB8::1]:8080/a", "/a"),
            ("https://api.example.test/orders/17?x=1", "/orders/17"),
            ("https://api.example.test/orders/17#f", "/orders/17"),
            ("https://api.example.test/orders/17?x=/../y#f?g", "/orders/17"),
            ("https://api.example.test/%6frders/%31%37", "/orders/17"),
            ("https://api.example.test/a%2db%5Fc%7e", "/a-b_c~"), ("https://api.example.test/a%c3%a9", "/a%C3%A9"),
            ("https://api.example.test/a%3ab", "/a%3Ab"), ("https://api.example.test/./orders/x/../17", "/orders/17"),
            ("https://api.example.test/../orders/17", "/orders/17"),
            ("https://api.example.test/x/%2e%2E/orders/17", "/orders/17"), ("https://api.example.test/a/.", "/a/"),
            ("https://api.example.test/a/b/..", "/a/"), ("https://api.example.test", "/"),
            ("https://api.example.test/", "/"), ("https://api.example.test?x", "/"),
            ("https://api.example.test#x", "/"),
            ("https://api.example.test/.", "/"), ("https://api.example.test/..", "/"),
        ])
    func same(uri: String, path: String) {
        #expect(matches(uri, path))
    }

    @Test(
        "D9: What it does not call the same is another URI",
        arguments: [
            ("http://api.example.test/orders/17", "/orders/17"), ("wss://api.example.test/orders/17", "/orders/17"),
            ("https://api.example.test/orders/17/", "/orders/17"), ("https://api.example.test/orders", "/orders/"),
            ("https://api.example.test/Orders/17", "/orders/17"),
            ("https://api.example.test/orders%2F17", "/orders/17"),
            ("https://api.example.test/orders%2f17", "/orders/17"),
            ("https://api.example.test//orders/17", "/orders/17"),
            ("https://api.example.test/orders//17", "/orders/17"), ("https://api.example.test/a:b", "/a%3Ab"),
            ("https://api.example.test/a%253Ab", "/a%3Ab"), ("https://api.example.test/orders/17%", "/orders/17"),
            ("https://api.example.test/orders/17%3", "/orders/17"), ("https://api.example.test/%zz", "/zz"),
            ("https://api.example.test/orders/17;v=1", "/orders/17"),
            ("https://api.example.test/orders/17%00", "/orders/17"),
            ("https://api.example.test:444/orders/17", "/orders/17"),
            ("https://api.example.test:0443/orders/17", "/orders/17"),
            ("https://api.example.test:65979/orders/17", "/orders/17"),
            ("https://api.example.test:99999999999999999999/orders/17", "/orders/17"),
            ("https://api.example.test:+443/orders/17", "/orders/17"), ("https://localhost/orders/17", "/orders/17"),
            ("https://user@api.example.test/orders/17", "/orders/17"),
            ("https://@api.example.test/orders/17", "/orders/17"),
            ("https://api.example.test@evil.test/orders/17", "/orders/17"),
            ("https://evil.test/orders/17", "/orders/17"), ("https://api.example.test./orders/17", "/orders/17"),
            ("https://api.example.test%00/orders/17", "/orders/17"),
            ("https://xapi.example.test/orders/17", "/orders/17"),
            ("https://api.example.test.evil.test/orders/17", "/orders/17"),
            ("https://api.example.test\\orders\\17", "/orders/17"), ("https:/api.example.test/orders/17", "/orders/17"),
            ("https:api.example.test/orders/17", "/orders/17"), ("//api.example.test/orders/17", "/orders/17"),
            ("/orders/17", "/orders/17"), ("", "/"), ("https://", "/"), ("https:///", "/"), ("https://:443/", "/"),
            (" https://api.example.test/", "/"), ("https://api.example.test /", "/"), ("https://[::1/", "/"),
            ("http://[2001:db8::1]8080/", "/"), ("http://[2001:db8::1]/", "/"), ("https://api.example.test/", "/x"),
            ("https://api.example.test", "/x"), ("https://api.example.test/x", "/"),
        ])
    func different(uri: String, path: String) {
        #expect(!matches(uri, path))
    }

    @Test("An origin is a scheme and an authority with nothing behind it")
    func origins() throws {
        let origin = try #require(TargetOrigin("HTTPS://Api.example.test"))
        #expect(origin.scheme == "https" && origin.host == "api.example.test" && origin.port == 443)
        #expect(TargetOrigin("https://api.example.test:443") == origin)
        #expect(TargetOrigin("http://api.example.test")?.port == 80)
        #expect(TargetOrigin("https://[::1]:8443")?.host == "[::1]")
        for text in [
            "https://a/", "https://a?x", "https://a#x", "https://u@a", "ftp://a", "a", "", "https://a:x", "https://%",
        ] {
            #expect(TargetOrigin(text) == nil, "\(text)")
        }
    }
}
