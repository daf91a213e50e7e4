import Bytes
import Identity
import Testing

@testable import Server

@Suite("What operators are answered")
struct AdminResponseTests {
    private static let time = UnixTime(nanoseconds: 1_800_000_000_000_001_000)

    private func body(_ answer: AdminAnswer) -> String {
        String(decoding: AdminResponse(answer).body, as: UTF8.self)
    }

    @Test("A revocation is answered with its name, its moment and what it closed")
    func revoked() {
        let response = AdminResponse(
            .revoked(
                RevocationReceipt(
                    ids: ["a-1"], effectiveAt: Self.time, expiresAt: Self.time, connectionsClosed: 3, callsEnded: 2)))
        #expect(response.status == 201)
        #expect(response.location == "/v1/revocations/a-1")
        #expect(
            String(decoding: response.body, as: UTF8.self) == """
                {"id":"a-1","effective_at":"2027-01-15T08:00:00.000001Z","connections_closed":3,"calls_ended":2,"expires_at":"2027-01-15T08:00:00.000001Z"}

                """)
    }

    @Test("Several are named together")
    func several() {
        let receipt = RevocationReceipt(
            ids: ["a", "b"], effectiveAt: Self.time, expiresAt: Self.time, connectionsClosed: 0, callsEnded: 0)
        #expect(body(.revoked(receipt)).hasPrefix(#"{"id":"a","ids":["a","b"],"#))
    }

    @Test("A preview names a hundred agents at most, and counts all")
    func preview() {
        let few = RevocationPreview(connections: 2, calls: 1, agents: ["b", "a"])
        #expect(
            body(.preview(few)) == #"{"connections":2,"calls":1,"agents":["a","b"],"agent_count":2}"# + "\n")
        let many = RevocationPreview(connections: 0, calls: 0, agents: Set((0..<150).map { "a\($0)" }))
        #expect(many.agents.count == 100)
        #expect(many.agentCount == 150)
    }

    @Test("A page says where the next begins, if there is one")
    func page() {
        let entry = RevocationEntry(
            id: "i", level: .task, value: "o/t", issuer: nil, reason: "a \"b\"", source: "admin",
            by: "unix:uid=0,pid=1",
            createdAt: Self.time, expiresAt: Self.time)
        let page = RevocationPage(entries: [entry], next: "i", total: 7)
        #expect(
            body(.revocations(page)) == """
                {"revocations":[{"id":"i","level":"task","value":"o/t","reason":"a \\"b\\"","source":"admin",\
                "by":"unix:uid=0,pid=1","created_at":"2027-01-15T08:00:00.000001Z",\
                "expires_at":"2027-01-15T08:00:00.000001Z"}],"next":"i","total":7}

                """)
        #expect(
            body(.revocations(RevocationPage(entries: [], next: nil, total: 0))) == "{\"revocations\":[],\"total\":0}\n"
        )
    }

    @Test("What is taken back is answered without content")
    func unrevoked() {
        let response = AdminResponse(.unrevoked)
        #expect(response.status == 204)
        #expect(response.body.isEmpty)
    }

    @Test("A refusal is problem details with a sentence for the operator")
    func refusal() {
        let response = AdminResponse(.refused(.badConfiguration(faults: ["f.yaml:1: a"])))
        #expect(response.status == 400)
        #expect(response.contentType == "application/problem+json")
        #expect(
            String(decoding: response.body, as: UTF8.self) == """
                {"type":"urn:sallyport:admin:bad-configuration","title":"Bad request","status":400,\
                "detail":"the configuration was refused and the one in force stays; mend the faults and reload again",\
                "faults":["f.yaml:1: a"]}

                """)
    }

    @Test("A reload is answered with the configuration in force")
    func reloaded() {
        #expect(
            body(.reloaded(digest: "ab", warnings: ["w"])) == #"{"sha256":"ab","warnings":["w"]}"# + "\n")
    }

    @Test("Of the state only what is known is told")
    func status() {
        var status = AdminStatus(
            state: .notReady("no keys"), startedAt: Self.time, configurationDigest: "ab", workers: 2, connections: 1,
            connectionLimit: 10, listeners: [AdminListener(name: "agents", address: "0.0.0.0:8443")],
            issuers: [AdminIssuer(issuer: "i", profile: "oauth", keySource: "url", isUsable: false)],
            isAuditHealthy: true)
        #expect(
            body(.status(status)) == """
                {"state":"not-ready","reason":"no keys","started_at":"2027-01-15T08:00:00.000001Z",\
                "configuration":{"sha256":"ab"},"workers":2,"connections":{"open":1,"limit":10},\
                "listeners":[{"name":"agents","address":"0.0.0.0:8443"}],\
                "issuers":[{"issuer":"i","profile":"oauth","key_source":"url","usable":false}],\
                "feeds":[],"revocation_lists":[],"audit":{"healthy":true}}

                """)
        status.state = .ready
        status.calls = AdminCalls(allowed: 5, denied: 1, current: 2)
        status.revocations = AdminRevocations(entries: 3, bySource: ["feed:x": 1, "admin": 2])
        status.feeds = [AdminFeed(name: "x", type: "set_poll", age: .seconds(4), isStale: false, entries: 1)]
        status.revocationLists = [AdminRevocationList(name: "d", isExpired: true, lastFailure: "gone")]
        let text = body(.status(status))
        #expect(text.contains(#""calls":{"allowed":5,"denied":1,"current":2}"#))
        #expect(text.contains(#""revocations":{"entries":3,"by_source":{"admin":2,"feed:x":1}}"#))
        #expect(
            text.contains(
                #""feeds":[{"name":"x","type":"set_poll","age_seconds":4,"stale":false,"entries":1}]"#))
        #expect(text.contains(#""revocation_lists":[{"name":"d","expired":true,"last_failure":"gone"}]"#))
    }
}
