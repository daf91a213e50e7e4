import Bytes
import JSON

/// A revocation that the gateway enforces.
struct RevocationReceiptText {
    let ids: [String]
    let effectiveAt: String
    let connectionsClosed: Int64
    /// Nothing where the gateway does not say.
    let callsEnded: Int64?
    /// When it ends; nothing where the gateway does not say.
    let expiresAt: String?

    /// Reads the gateway's answer.
    init(_ answer: AdminClient.Answer) throws {
        let document = try AdminAnswerText.document(answer)
        guard let id = document.root.member("id")?.string,
            let effectiveAt = document.root.member("effective_at")?.string,
            let closed = document.root.member("connections_closed")?.integer
        else { throw AdminAnswerText.unknown }
        ids = AdminAnswerText.strings("ids", of: document.root) ?? [id]
        self.effectiveAt = effectiveAt
        connectionsClosed = closed
        callsEnded = document.root.member("calls_ended")?.integer
        expiresAt = document.root.member("expires_at")?.string
    }

    /// What the operator reads.
    ///
    /// - Parameters:
    ///   - request: what was asked.
    ///   - way: the options by which the gateway was found.
    func text(of request: RevocationRequest, way: String) -> String {
        let ids = ids.map(TerminalText.printable)
        let undo = (["sallyport revoke", way] + ids.map { "--undo \($0)" }).filter { !$0.isEmpty }
        return """
            revoked \(request.name): in force on every worker since \(TerminalText.printable(effectiveAt))\(end); \
            \(CountText.of(connectionsClosed, "connection")) closed\(calls)
            \(isLonger(than: request) ? "it was revoked for longer before, and the later end stays\n" : "")\
            \(ids.count == 1 ? "id" : "ids"): \(ids.joined(separator: " ")) \
            (to take it back: \(undo.joined(separator: " ")))

            """
    }

    private var end: String { expiresAt.map { ", until \(TerminalText.printable($0))" } ?? "" }

    private var calls: String { callsEnded.map { ", \(CountText.of($0, "call")) ended" } ?? "" }

    /// Whether an entry that was there already ends later than was asked.
    private func isLonger(than request: RevocationRequest) -> Bool {
        guard let asked = request.expiresAt, let end = expiresAt.flatMap({ UnixTime(rfc3339: $0) }) else {
            return false
        }
        // Moments are written in microseconds.
        return end > asked + .seconds(1)
    }
}

/// What a revocation would hit.
struct RevocationPreviewText {
    let connections: Int64
    let calls: Int64
    let agents: [String]
    let agentCount: Int64

    /// Reads the gateway's answer.
    init(_ answer: AdminClient.Answer) throws {
        let document = try AdminAnswerText.document(answer)
        guard let connections = document.root.member("connections")?.integer,
            let calls = document.root.member("calls")?.integer,
            let agents = AdminAnswerText.strings("agents", of: document.root)
        else { throw AdminAnswerText.unknown }
        self.connections = connections
        self.calls = calls
        self.agents = agents
        agentCount = document.root.member("agent_count")?.integer ?? Int64(agents.count)
    }

    /// What the operator reads before deciding.
    func text(of name: String) -> String {
        let counts =
            "\(CountText.of(connections, "connection")) and \(CountText.of(calls, "call")) of "
            + CountText.of(agentCount, "agent")
        var text = "to revoke \(name) would end \(counts) now"
        text += agents.isEmpty ? "\n" : ":\n"
        for agent in agents { text += "  \(TerminalText.printable(agent))\n" }
        if agentCount > agents.count { text += "  and \(agentCount - Int64(agents.count)) more\n" }
        return text
    }
}

/// A page of what is revoked.
struct RevocationListText {
    /// The rows of the table, without its head.
    let rows: [[String]]
    /// Each entry as it came.
    let entries: [String]
    let next: String?

    static let head = ["ID", "LEVEL", "VALUE", "SOURCE", "BY", "CREATED", "EXPIRES", "REASON"]

    /// Reads the gateway's answer.
    init(_ answer: AdminClient.Answer) throws {
        let document = try AdminAnswerText.document(answer)
        guard var elements = document.root.member("revocations")?.elements else { throw AdminAnswerText.unknown }
        var rows: [[String]] = []
        var entries: [String] = []
        while let entry = elements.next() {
            func text(_ name: String) -> String {
                let text = entry.member(named: name)?.string ?? ""
                return text.isEmpty ? "-" : TerminalText.printable(text)
            }
            let issuer = entry.member("issuer")?.string.map { " (of \(TerminalText.printable($0)))" } ?? ""
            rows.append([
                text("id"), text("level"), text("value") + issuer, text("source"), text("by"), text("created_at"),
                text("expires_at"), text("reason"),
            ])
            entries.append(String(decoding: Array(copying: entry.raw), as: UTF8.self))
        }
        self.rows = rows
        self.entries = entries
        next = document.root.member("next")?.string
    }
}

/// How the answers of the admin API are read.
enum AdminAnswerText {
    static let unknown = CommandFailure.couldNotRun(
        "the gateway's answer is not understood; is it of the same version as this command?")

    static func document(_ answer: AdminClient.Answer) throws -> JSONDocument {
        let limits = JSONLimits(bytes: 16 << 20, depth: 8, members: 4096)
        do { return try JSONDocument(answer.body.span, limits: limits) } catch { throw unknown }
    }

    /// A member that is a list of strings.
    static func strings(_ name: String, of value: JSONValue) -> [String]? {
        guard let member = value.member(named: name), member.kind == .array else { return nil }
        var texts: [String] = []
        var elements = member.elements
        while let element = elements.next() { texts.append(element.string ?? "") }
        return texts
    }
}

/// Numbers with what they count.
enum CountText {
    /// `1 connection`, `2 connections`.
    static func of(_ number: Int64, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}
