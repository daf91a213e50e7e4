import Bytes
import Identity
import Testing

@testable import Server

@Suite("What operators ask")
struct AdminRouterTests {
    private static let now = UnixTime(seconds: 1_800_000_000)

    private func ask(
        _ method: String, _ target: String, _ body: String = "", type: String? = "application/json",
        hasOrigin: Bool = false
    ) -> Result<AdminRequest, AdminRefusal> {
        var message = AdminMessage()
        message.method = method
        message.target = target
        message.body = Array(body.utf8)
        message.contentType = type
        message.hasOrigin = hasOrigin
        return Result { () throws(AdminRefusal) in try AdminRouter.request(message, now: Self.now) }
    }

    @Test(
        "Each path has its method",
        arguments: [
            ("GET", "/v1/issuers", .issuers), ("GET", "/v1/status", .status), ("POST", "/v1/reload", .reload),
            ("POST", "/v1/drain", .drain), ("GET", "/v1/status?", .status),
            ("DELETE", "/v1/revocations/Ab-9_", .unrevoke(id: "Ab-9_")),
            ("GET", "/v1/revocations", .revocations(RevocationQuery())),
        ] as [(String, String, AdminRequest)])
    func paths(_ method: String, _ target: String, _ request: AdminRequest) throws {
        #expect(try ask(method, target).get() == request)
        let other = method == "GET" ? "POST" : "GET"
        if method != "GET" || !target.contains("revocations") {
            #expect(ask(other, target).status == 405)
        }
        #expect(ask("HEAD", target).status == 405)
        #expect(ask(method, target, "x").status == 400)
    }

    @Test(
        "There is no path but those that there are, in one spelling",
        arguments: [
            "/", "", "*", "/v1", "/v1/", "/v1/status/", "//v1/status", "/v1//status", "/V1/status", "/v1/%73tatus",
            "/v1/../v1/status", "/v1/status;x", "/v2/status", "/v1/revocations/", "/v1/revocations/a/b",
            "/v1/revocations/a%2fb", "/v1/revocations/..", "/v1/revocations/a.b", "v1/status",
            "/v1/revocations/" + String(repeating: "a", count: 129),
        ])
    func noPath(_ target: String) {
        for method in ["GET", "POST", "DELETE"] { #expect(ask(method, target).status == 404) }
    }

    @Test("What is to come is named so", arguments: ["/v1/agents", "/v1/config", "/v1/audit/checkpoint"])
    func unbuilt(_ target: String) {
        let refusal = ask("GET", target).refusal
        #expect(refusal?.status == 404)
        #expect(refusal?.detail == "\(target) is not built yet in this version")
    }

    @Test("No web page administers a gateway")
    func origin() {
        #expect(ask("POST", "/v1/drain", hasOrigin: true).status == 403)
        #expect(ask("POST", "/v1/drain", hasOrigin: false).status == nil)
    }

    @Test("A page of revocations is asked for by its parameters")
    func page() throws {
        let query = RevocationQuery(after: "x-1", limit: 5, level: .token, source: "feed:broker status")
        #expect(
            try ask("GET", "/v1/revocations?after=x-1&limit=5&level=token&source=feed%3Abroker%20status").get()
                == .revocations(query))
        #expect(try ask("GET", "/v1/revocations?limit=1000").get() == .revocations(RevocationQuery(limit: 1000)))
    }

    @Test(
        "A parameter that is not understood is refused",
        arguments: [
            "limit=0", "limit=1001", "limit=", "limit=+5", "limit=5x", "limit=٥", "limit=5&limit=5", "level=Agent",
            "level=", "after=", "after=a/b", "colour=blue", "limit", "&", "limit=5&", "=5", "source=%", "source=%f",
            "source=%zz", "source=%ff", "preview=true",
        ])
    func badQuery(_ query: String) {
        #expect(ask("GET", "/v1/revocations?\(query)").status == 400)
    }

    @Test("A preview is asked for by a parameter")
    func preview() throws {
        let body = #"{"level":"agent","value":"a"}"#
        let demand = RevocationDemand(level: .agent, value: "a")
        #expect(try ask("POST", "/v1/revocations?preview=true", body).get() == .preview(demand))
        #expect(try ask("POST", "/v1/revocations?preview=false", body).get() == .revoke(demand))
        #expect(try ask("POST", "/v1/revocations", body).get() == .revoke(demand))
        #expect(ask("POST", "/v1/revocations?preview=yes", body).status == 400)
        #expect(ask("POST", "/v1/revocations?preview=true&preview=true", body).status == 400)
        #expect(ask("POST", "/v1/revocations?level=agent", body).status == 400)
    }

    @Test("A revocation is JSON, and says so", arguments: [nil, "", "text/plain", "application/x-www-form-urlencoded"])
    func mediaType(_ type: String?) {
        let body = #"{"level":"agent","value":"a"}"#
        #expect(ask("POST", "/v1/revocations", body, type: type).status == 415)
        #expect(ask("POST", "/v1/revocations", body).status == nil)
    }
}

extension Result where Success == AdminRequest, Failure == AdminRefusal {
    fileprivate var refusal: AdminRefusal? {
        if case .failure(let refusal) = self { refusal } else { nil }
    }

    /// The status of a refusal.
    fileprivate var status: UInt16? { refusal?.status }
}
