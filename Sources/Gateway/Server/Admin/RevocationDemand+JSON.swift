import Bytes
import Identity
import JSON

extension RevocationDemand {
    private static let limits = JSONLimits(bytes: AdminConnection.longestBody, depth: 1, members: 16)
    private static let longestText = 2048
    private static let longestReason = 1024

    /// Says which levels there are.
    static let unknownLevel = AdminRefusal.badRequest(
        "there is no such level; there are \(RevocationLevel.allCases.map(\.rawValue).joined(separator: ", "))")

    /// Reads `{"level":…,"value":…,"issuer":…,"reason":…,"expires_at":…,"all_of":…}`; whatever else is in it is refused.
    ///
    /// - Parameter now: what the expiry must lie behind.
    init(json: [UInt8], now: UnixTime) throws(AdminRefusal) {
        let document: JSONDocument
        do throws(JSONError) { document = try JSONDocument(json.span, limits: Self.limits) } catch {
            throw .badRequest("the content is not a JSON object that can be read (\(error.description)); mend it")
        }
        guard document.root.kind == .object else { throw .badRequest("the content is not a JSON object; send one") }
        var texts: [String: String] = [:]
        var isAllOf = false
        var members = document.root.members
        while let member = members.next() {
            let name = String(validating: member.name) ?? ""
            switch name {
            case "level", "value", "issuer", "reason", "expires_at":
                // A member that is null says as much as one that is not there.
                if member.value.isNull { continue }
                guard let text = member.value.string else { throw .badRequest("\(name) is not a string; write one") }
                texts[name] = text
            case "all_of":
                guard let flag = member.value.bool else { throw .badRequest("all_of is true or false") }
                isAllOf = flag
            default:
                throw .badRequest(
                    "there is a member that is not known; there are level, value, issuer, reason, expires_at and all_of"
                )
            }
        }
        try self.init(texts, isAllOf: isAllOf, now: now)
    }

    private init(_ texts: [String: String], isAllOf: Bool, now: UnixTime) throws(AdminRefusal) {
        guard let levelText = texts["level"] else { throw .badRequest("level is missing; name what is to be revoked") }
        guard let level = RevocationLevel(rawValue: levelText) else { throw Self.unknownLevel }
        // There is but one everything: it needs no name.
        guard let value = texts["value"] ?? (level == .everything ? "*" : nil), !value.isEmpty else {
            throw .badRequest("value is missing; name the \(levelText) that is to be revoked")
        }
        if isAllOf, ![.agent, .task, .everything].contains(level) {
            throw .badRequest("all_of is for an agent, a task or everything; leave it out")
        }
        self.init(level: level, value: value, isAllOf: isAllOf)
        issuer = try Self.text("issuer", texts["issuer"], upTo: Self.longestText)
        reason = try Self.text("reason", texts["reason"], upTo: Self.longestReason)
        self.value = try Self.text("value", value, upTo: Self.longestText) ?? value
        guard let expiry = texts["expires_at"] else { return }
        guard let time = UnixTime(rfc3339: expiry) else {
            throw .badRequest("expires_at is not a moment; write one as RFC 3339 does, such as 2026-12-31T00:00:00Z")
        }
        guard time > now else { throw .badRequest("expires_at has passed; give a moment to come, or leave it out") }
        expiresAt = time
    }

    /// Text of a bounded length, without control characters: it is shown in terminals and written to logs.
    private static func text(_ name: String, _ text: String?, upTo limit: Int) throws(AdminRefusal) -> String? {
        guard let text else { return nil }
        guard text.utf8.count <= limit else { throw .badRequest("\(name) is longer than \(limit) bytes; shorten it") }
        guard !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw .badRequest("\(name) holds a control character; remove it")
        }
        return text
    }
}
