import Testing

@testable import Configuration

@Suite("Origin")
struct OriginTests {
    @Test(
        "Origins are read",
        arguments: [
            ("https://localhost:8443", "https://localhost:8443"), ("https://LocalHost:443", "https://localhost"),
            ("https://a.example", "https://a.example"), ("HTTPS://[::1]:8443", "https://[::1]:8443"),
        ])
    func reads(_ text: String, _ serialised: String) {
        #expect(Origin(text)?.description == serialised)
    }

    @Test(
        "Other URLs are no origins",
        arguments: [
            "", "localhost:8443", "http://localhost", "https://", "https://localhost/", "https://localhost:8443/a",
            "https://localhost?x", "https://u@localhost", "https://localhost:", "https://localhost:0",
            "https://*.example",
            "https://localhost#a", "https://local host", "https://localhost.:443/",
        ])
    func refuses(_ text: String) {
        #expect(Origin(text) == nil)
    }

    @Test(
        "Authorities of the origin match",
        arguments: [
            ("https://localhost:8443", "localhost:8443"), ("https://localhost:8443", "LOCALHOST:8443"),
            ("https://a.example", "a.example"), ("https://a.example", "A.example:443"), ("https://[::1]:1", "[::1]:1"),
        ])
    func matches(_ origin: String, _ authority: String) {
        #expect(Origin(origin)?.matches(authority: authority.utf8.span) == true)
    }

    @Test(
        "Other authorities do not",
        arguments: [
            ("https://localhost:8443", "localhost"), ("https://localhost:8443", "localhost:443"),
            ("https://localhost:8443", "localhost:08443"), ("https://localhost:8443", "localhost:8443 "),
            ("https://localhost:8443", "localhost.:8443"), ("https://localhost:8443", "localhost:84430"),
            ("https://localhost:8443", "localhost:74979"), ("https://a.example", "a.example:"),
            ("https://a.example", "a.examplex"), ("https://a.example", "b.example"), ("https://a.example", ""),
            ("https://a.example", "x.a.example"), ("https://a.example", "a.example:0443"),
            ("https://a.example", "a.example:4294967739"),
        ])
    func doesNotMatch(_ origin: String, _ authority: String) {
        #expect(Origin(origin)?.matches(authority: authority.utf8.span) == false)
    }
}
