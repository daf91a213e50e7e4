import Bytes
import Testing

@testable import Configuration

@Suite("Durations, sizes and addresses as text")
struct ValueTextTests {
    @Test(
        "Durations are read",
        arguments: [
            ("250ms", Interval.milliseconds(250)), ("30s", .seconds(30)), ("5m", .seconds(300)), ("1h", .seconds(3600)),
            ("0s", .zero),
        ])
    func durations(_ text: String, _ interval: Interval) {
        #expect(DurationText.interval(text) == interval)
    }

    @Test(
        "Other durations are not",
        arguments: [
            "", "30", "s", "-1s", "1.5s", " 1s", "1 s", "1d", "1H", "1µs", "1s1", "99999999999h", "٣s",
        ])
    func notDurations(_ text: String) {
        #expect(DurationText.interval(text) == nil)
    }

    @Test(
        "Durations are written in the largest unit that divides them",
        arguments: ["250ms", "90s", "5m", "2h", "1500ms"])
    func durationsWritten(_ text: String) throws {
        #expect(DurationText.text(try #require(DurationText.interval(text))) == text)
    }

    @Test(
        "Sizes are read",
        arguments: [
            ("0", 0 as UInt64), ("4096", 4096), ("8KiB", 8192), ("1MiB", 1 << 20), ("2GiB", 2 << 30),
        ])
    func sizes(_ text: String, _ bytes: UInt64) {
        #expect(SizeText.bytes(text) == bytes)
    }

    @Test(
        "Other sizes are not", arguments: ["", "8K", "8KB", "8 KiB", "-1", "1.5MiB", "KiB", "18446744073709551615GiB"])
    func notSizes(_ text: String) {
        #expect(SizeText.bytes(text) == nil)
    }

    @Test(
        "Listen addresses are read",
        arguments: [
            ("127.0.0.1:8443", ListenAddress.ip(host: "127.0.0.1", port: 8443)),
            ("localhost:1", .ip(host: "localhost", port: 1)), ("[::1]:8443", .ip(host: "::1", port: 8443)),
            ("[2001:DB8::1]:65535", .ip(host: "2001:db8::1", port: 65535)),
            ("unix:run/s.sock", .unix(path: "run/s.sock")),
        ])
    func listenAddresses(_ text: String, _ address: ListenAddress) {
        #expect(ListenAddress(text) == address)
    }

    @Test(
        "Other listen addresses are not",
        arguments: [
            "", ":8443", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:08443", "127.0.0.1:", "::1:8443",
            "[::1]", "[::g]:1", "[127.0.0.1]:1", "256.0.0.1:1", "1.2.3:1", "a b:1", "\u{212A}:1", "-a:1", "a..b:1",
            "*:8443", "unix:",
            "http://localhost:1", "[fe80::1%eth0]:1",
        ])
    func notListenAddresses(_ text: String) {
        #expect(ListenAddress(text) == nil)
    }

    @Test("A Unix socket's path must fit the kernel's structure")
    func unixPathLength() {
        #expect(ListenAddress("unix:" + String(repeating: "a", count: 107)) != nil)
        #expect(ListenAddress("unix:" + String(repeating: "a", count: 108)) == nil)
    }

    @Test(
        "Addresses of this machine are known",
        arguments: [
            ("127.0.0.1:1", true), ("[::1]:1", true), ("localhost:1", true), ("unix:a", true), ("0.0.0.0:1", false),
            ("10.0.0.1:1", false), ("[::]:1", false),
        ])
    func local(_ text: String, _ isLocal: Bool) {
        #expect(ListenAddress(text)?.isLocal == isLocal)
    }

    @Test(
        "Targets are read",
        arguments: [
            ("http://127.0.0.1:9000", UpstreamTarget.tcp(host: "127.0.0.1", port: 9000)),
            ("http://orders", .tcp(host: "orders", port: 80)), ("http://[::1]:9000", .tcp(host: "::1", port: 9000)),
            ("unix:/run/o.sock", .unix(path: "/run/o.sock")), ("h2c://a", .h2c(host: "a", port: 80)),
            ("https://a", .tls(host: "a", port: 443)), ("https://[::1]:1", .tls(host: "::1", port: 1)),
        ])
    func targets(_ text: String, _ target: UpstreamTarget) {
        #expect(UpstreamTarget(text) == target)
    }

    @Test(
        "Other targets are not",
        arguments: [
            "", "127.0.0.1:9000", "http://", "http://a/", "http://a/b", "http://a:0", "http://u@a", "http://a?b",
            "ftp://a", "HTTP://a", "https://a/b", "h2c://", "unix:",
        ])
    func notTargets(_ text: String) {
        #expect(UpstreamTarget(text) == nil)
    }

    @Test(
        "Relative paths start beside the file",
        arguments: [
            ("/etc/s/sallyport.yaml", "ca.pem", "/etc/s/ca.pem"), ("sallyport.yaml", "ca.pem", "ca.pem"),
            ("a/sallyport.yaml", "b/ca.pem", "a/b/ca.pem"), ("/sallyport.yaml", "ca.pem", "/ca.pem"),
            ("a/sallyport.yaml", "/ca.pem", "/ca.pem"),
        ])
    func relativePaths(_ file: String, _ path: String, _ resolved: String) {
        #expect(FilePlace(beside: file).resolve(path) == resolved)
    }
}
