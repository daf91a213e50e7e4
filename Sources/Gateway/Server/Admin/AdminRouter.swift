import Bytes
import Identity

/// Reads what a request asks: the paths, methods and parameters that there are, exactly as they are spelled.
struct AdminRouter {
    private static let longestID = 128

    /// What a message asks.
    ///
    /// - Parameter now: what an expiry must lie behind.
    static func request(_ message: AdminMessage, now: UnixTime) throws(AdminRefusal) -> AdminRequest {
        let parts = message.target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let (path, query) = (parts.first.map(String.init) ?? "", parts.count > 1 ? String(parts[1]) : nil)
        guard !message.hasOrigin else {
            throw .forbidden("a web page may not administer the gateway; use sallyport revoke, or curl")
        }
        switch path {
        case "/v1/revocations": return try revocations(message, query, now)
        case "/v1/issuers": return try plain(.issuers, "GET", message, query)
        case "/v1/status": return try plain(.status, "GET", message, query)
        case "/v1/reload": return try plain(.reload, "POST", message, query)
        case "/v1/drain": return try plain(.drain, "POST", message, query)
        case "/v1/agents", "/v1/config", "/v1/audit/checkpoint":
            throw .notFound("\(path) is not built yet in this version")
        default:
            let prefix = "/v1/revocations/"
            guard path.hasPrefix(prefix) else {
                throw .notFound("there is no such path; see docs/admin-api.md for those that there are")
            }
            return try entry(String(path.dropFirst(prefix.count)), message, query)
        }
    }

    // MARK: Paths

    private static func revocations(
        _ message: AdminMessage, _ query: String?, _ now: UnixTime
    ) throws(AdminRefusal) -> AdminRequest {
        switch message.method {
        case "GET":
            try checkEmpty(message)
            return .revocations(try AdminQuery(query, allowing: ["after", "limit", "level", "source"]).page())
        case "POST":
            let isPreview = try AdminQuery(query, allowing: ["preview"]).flag("preview")
            guard message.contentType == "application/json" else {
                throw AdminRefusal(
                    status: 415, code: "unsupported-media-type",
                    detail: "a revocation is sent as JSON; set Content-Type: application/json")
            }
            let demand = try RevocationDemand(json: message.body, now: now)
            return isPreview ? .preview(demand) : .revoke(demand)
        default:
            throw wrongMethod("GET, POST")
        }
    }

    /// Identifiers are opaque, and need no escapes: one that has any is none.
    private static func entry(
        _ id: String, _ message: AdminMessage, _ query: String?
    ) throws(AdminRefusal) -> AdminRequest {
        guard isIdentifier(id) else { throw .notFound("there is no such revocation; list them for their ids") }
        guard message.method == "DELETE" else { throw wrongMethod("DELETE") }
        _ = try AdminQuery(query, allowing: [])
        try checkEmpty(message)
        return .unrevoke(id: id)
    }

    /// Whether the text may be the id of a revocation.
    static func isIdentifier(_ text: String) -> Bool {
        (1...longestID).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func plain(
        _ request: AdminRequest, _ method: String, _ message: AdminMessage, _ query: String?
    ) throws(AdminRefusal) -> AdminRequest {
        guard message.method == method else { throw wrongMethod(method) }
        _ = try AdminQuery(query, allowing: [])
        try checkEmpty(message)
        return request
    }

    private static func checkEmpty(_ message: AdminMessage) throws(AdminRefusal) {
        guard message.body.isEmpty else { throw .badRequest("this request takes no content; send none") }
    }

    private static func wrongMethod(_ allowed: String) -> AdminRefusal {
        AdminRefusal(
            status: 405, code: "method-not-allowed", detail: "there is no such method here; use \(allowed)",
            allowedMethods: allowed)
    }
}
