import HTTP
import Testing

@Suite("TrailerRules")
struct TrailerRulesTests {
    static func allows(_ name: String) -> Bool {
        TrailerRules.allows(Array(name.utf8).span)
    }

    @Test(
        "Fields that are known only when the content was sent may stand in trailers",
        arguments: [
            "grpc-status", "grpc-message", "Grpc-Status-Details-Bin", "content-digest", "repr-digest", "etag",
            "server-timing", "x-checksum", "x-host", "ifs",
        ])
    func allowed(name: String) {
        #expect(Self.allows(name))
    }

    @Test(
        "Fields that frame, route, authenticate, ask, steer or describe content may not, in any spelling",
        arguments: [
            "transfer-encoding", "Content-Length", "content_length", "connection", "TE", "trailer", "upgrade", "host",
            "authorization", "cookie", "set-cookie", "Set_Cookie", "www-authenticate", "proxy-anything", "if-match",
            "range", "expect", "cache-control", "location", "vary", "date", "content-type", "content-encoding",
            "dpop", "workload-identity-token", "sallyport-agent", "x-forwarded-for", "forwarded", "client-cert-chain",
        ])
    func refused(name: String) {
        #expect(!Self.allows(name))
    }

    @Test("What is no name of a field may not", arguments: ["", ":status", "a b", "x:"])
    func noName(name: String) {
        #expect(!Self.allows(name))
    }
}
