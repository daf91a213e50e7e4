import HTTP
import Testing

@testable import Exchange

@Suite("Trailers that are passed on")
struct ForwardedTrailersTests {
    private func table(_ names: [String]) -> FieldTable {
        var table = FieldTable()
        for name in names { table.append(name: name.utf8.span, value: "1".utf8.span) }
        return table
    }

    private func names(_ table: borrowing FieldTable) -> [String] {
        lines(table).map { String($0.prefix { $0 != ":" }) }
    }

    private func passed(_ name: String, ofRequest: Bool, connection: String? = nil) -> Bool {
        let exchange = Trial.exchange("POST", "/x", connection.map { [("Connection", $0)] } ?? [])
        var trailers = FieldTable()
        let received = table([name, "x-kept"])
        if ofRequest {
            exchange.fill(trailers: &trailers, ofRequest: received)
        } else {
            exchange.fill(trailers: &trailers, ofAnswer: received)
        }
        let left = names(trailers)
        #expect(left.contains("x-kept"))
        return left.contains(name)
    }

    @Test(
        "What could pass for a credential or for the gateway's word never reaches the upstream",
        arguments: [
            "authorization", "dpop", "sallyport-agent", "sallyport_agent", "x-forwarded-client-cert", "client-cert",
            "x-request-id", "traceparent", "content-length", "transfer-encoding", "host", "txn-token", "cookie",
        ])
    func removed(name: String) {
        #expect(!passed(name, ofRequest: true))
    }

    @Test("What may stand there passes", arguments: ["x-checksum", "grpc-status", "server-timing", "content-digest"])
    func kept(name: String) {
        #expect(passed(name, ofRequest: true))
        #expect(passed(name, ofRequest: false))
    }

    @Test("What Connection nominates ends here, also behind the content")
    func nominated() {
        #expect(!passed("x-hop", ofRequest: true, connection: "close, X-Hop"))
        #expect(passed("x-hop", ofRequest: true, connection: "close"))
    }

    @Test(
        "An upstream cannot speak for the gateway",
        arguments: ["sallyport-agent", "dpop-nonce", "x-request-id", "set-cookie"])
    func answers(name: String) {
        #expect(!passed(name, ofRequest: false))
    }
}
