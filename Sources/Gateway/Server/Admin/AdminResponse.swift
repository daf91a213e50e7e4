import Identity

/// An answer as HTTP carries it.
struct AdminResponse: Equatable, Sendable {
    var status: UInt16
    var contentType = "application/json"
    /// Empty where the answer has no content.
    var body: [UInt8] = []
    /// Where what was made is.
    var location: String?
    /// The methods that there are, where another was used.
    var allowedMethods: String?

    /// Writes an answer down.
    init(_ answer: AdminAnswer) {
        switch answer {
        case .revoked(let receipt):
            self.init(status: 201, json: receipt.json)
            location = receipt.ids.first.map { "/v1/revocations/\($0)" }
        case .preview(let preview): self.init(status: 200, json: preview.json)
        case .revocations(let page): self.init(status: 200, json: page.json)
        case .unrevoked: self.init(status: 204)
        case .issuers(let issuers):
            self.init(status: 200, json: .object(["issuers": .list(issuers.map(\.json))]))
        case .status(let status): self.init(status: 200, json: status.json)
        case .reloaded(let digest, let warnings):
            self.init(
                status: 200,
                json: .object(["sha256": .text(digest), "warnings": .list(warnings.map(AdminJSON.text))]))
        case .draining(let connections):
            self.init(status: 202, json: .object(["connections": .number(connections)]))
        case .refused(let refusal):
            self.init(status: refusal.status, json: refusal.json)
            contentType = "application/problem+json"
            allowedMethods = refusal.allowedMethods
        }
    }

    private init(status: UInt16, json: AdminJSON? = nil) {
        self.status = status
        body = json?.bytes ?? []
    }
}

extension RevocationReceipt {
    fileprivate var json: AdminJSON {
        .object([
            "id": ids.first.map(AdminJSON.text),
            "ids": ids.count > 1 ? .list(ids.map(AdminJSON.text)) : nil,
            "effective_at": .time(effectiveAt),
            "connections_closed": .number(connectionsClosed), "calls_ended": .number(callsEnded),
            "expires_at": .time(expiresAt),
        ])
    }
}

extension RevocationPreview {
    fileprivate var json: AdminJSON {
        .object([
            "connections": .number(connections),
            "calls": .number(calls),
            "agents": .list(agents.map(AdminJSON.text)),
            "agent_count": .number(agentCount),
        ])
    }
}

extension RevocationPage {
    fileprivate var json: AdminJSON {
        .object([
            "revocations": .list(entries.map(\.json)),
            "next": next.map(AdminJSON.text),
            "total": .number(total),
        ])
    }
}

extension RevocationEntry {
    fileprivate var json: AdminJSON {
        .object([
            "id": .text(id),
            "level": .text(level.rawValue),
            "value": .text(value),
            "issuer": issuer.map(AdminJSON.text),
            "reason": reason.map(AdminJSON.text),
            "source": .text(source),
            "by": by.map(AdminJSON.text),
            "created_at": .time(createdAt),
            "expires_at": .time(expiresAt),
        ])
    }
}

extension AdminRefusal {
    fileprivate var json: AdminJSON {
        .object([
            "type": .text("urn:sallyport:admin:\(code)"),
            "title": .text(title),
            "status": .number(Int(status)),
            "detail": .text(detail),
            "faults": faults.isEmpty ? nil : .list(faults.map(AdminJSON.text)),
        ])
    }

    private var title: String {
        switch status {
        case 400: "Bad request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not found"
        case 405: "Method not allowed"
        case 409: "Conflict"
        case 413: "Too large"
        case 414: "Target too long"
        case 415: "Unsupported media type"
        case 417: "Expectation failed"
        case 431: "Header too large"
        default: "Unavailable"
        }
    }
}
