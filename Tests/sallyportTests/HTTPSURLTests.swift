import Testing

@testable import sallyport

@Suite("HTTPSURL")
struct HTTPSURLTests {
    @Test(
        "URLs are split as written",
        arguments: [
            ("https://localhost:8443/orders/7?x=1", "localhost:8443", "/orders/7?x=1"),
            ("https://localhost", "localhost", "/"), ("https://[::1]:1?a", "[::1]:1", "/?a"),
            ("https://localhost:8443//a/../%2e", "localhost:8443", "//a/../%2e"),
        ])
    func splits(_ text: String, _ authority: String, _ target: String) throws {
        let url = try #require(HTTPSURL(text))
        #expect(url.authority == authority)
        #expect(url.target == target)
    }

    @Test(
        "Other URLs are refused",
        arguments: ["", "http://localhost/", "localhost", "https://", "https://u@h/", "https://h:0/"])
    func refuses(_ text: String) {
        #expect(HTTPSURL(text) == nil)
    }
}
