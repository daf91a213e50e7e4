import Bytes
import JSON

/// The state of a gateway, as an operator reads it.
struct StatusText {
    /// Whether it should be sent calls.
    let isReady: Bool
    /// The whole text.
    let text: String

    /// Reads the gateway's answer.
    init(_ answer: AdminClient.Answer) throws {
        let document = try AdminAnswerText.document(answer)
        guard let state = document.root.member("state")?.string else { throw AdminAnswerText.unknown }
        isReady = state == "ready"
        text = Self.sections(document.root, state: state).joined()
    }

    private static func sections(_ root: JSONValue, state: String) -> [String] {
        [
            TerminalText.table(overview(root, state: state)),
            table("listeners", ["LISTENER", "ADDRESS"], root) { [$0.text("name"), $0.text("address")] },
            table("issuers", ["ISSUER", "PROFILE", "KEYS", "AGE", "STATE"], root) { issuer in
                [
                    issuer.text("issuer"), issuer.text("profile"),
                    issuer.count("keys").map { "\($0) by \(issuer.text("key_source"))" } ?? issuer.text("key_source"),
                    issuer.age, issuer.condition(isGood: issuer.flag("usable"), good: "usable", bad: "UNUSABLE"),
                ]
            },
            table("feeds", ["FEED", "TYPE", "HEARD", "ENTRIES", "STATE"], root) { feed in
                [
                    feed.text("name"), feed.text("type"), feed.age, feed.count("entries") ?? "-",
                    feed.condition(isGood: !feed.flag("stale"), good: "fresh", bad: "STALE"),
                ]
            },
            table("revocation_lists", ["REVOCATION LIST", "SIGNED", "ENTRIES", "STATE"], root) { list in
                [
                    list.text("name"), list.age, list.count("entries") ?? "-",
                    list.condition(isGood: !list.flag("expired"), good: "current", bad: "EXPIRED"),
                ]
            },
        ]
    }

    private static func overview(_ root: JSONValue, state: String) -> [[String]] {
        let reason = root.member("reason")?.string.map { ": \(TerminalText.printable($0))" } ?? ""
        var rows = [["state", TerminalText.printable(state) + reason], ["serving since", root.text("started_at")]]
        if let configuration = root.member("configuration") {
            let loaded =
                configuration.member("loaded_at")?.string.map { ", loaded \(TerminalText.printable($0))" } ?? ""
            rows.append(["configuration", "SHA-256 \(configuration.text("sha256"))\(loaded)"])
        }
        if let connections = root.member("connections") {
            let live = root.count("live_agents").map { " open, by \(CountText.of(Int64($0) ?? 0, "agent"))" } ?? " open"
            rows.append([
                "connections",
                "\(connections.count("open") ?? "-")\(live) (at most \(connections.count("limit") ?? "-"))",
            ])
        }
        if let calls = root.member("calls") { rows.append(["calls", decisions(calls)]) }
        if let revocations = root.member("revocations") { rows.append(["revocations", entries(revocations)]) }
        if let audit = root.member("audit"), !audit.flag("healthy") {
            rows.append(["audit", "THE LOG CANNOT BE WRITTEN; look at its disk"])
        }
        return rows
    }

    private static func decisions(_ calls: JSONValue) -> String {
        let (allowed, denied) = (calls.member("allowed")?.integer ?? 0, calls.member("denied")?.integer ?? 0)
        let total = allowed + denied
        // Rounded down, so that 100 % means each one.
        let share = total > 0 ? " (\(allowed * 100 / total) % allowed)" : ""
        return "\(allowed) allowed, \(denied) denied\(share), \(calls.count("current") ?? "0") under way"
    }

    private static func entries(_ revocations: JSONValue) -> String {
        var sources: [String] = []
        var members = revocations.member("by_source")?.members
        while let source = members?.next() {
            let name = TerminalText.printable(String(decoding: Array(copying: source.name), as: UTF8.self))
            sources.append("\(name) \(source.value.integer ?? 0)")
        }
        let count = revocations.count("entries") ?? "0"
        return sources.isEmpty ? count : "\(count) (\(sources.joined(separator: ", ")))"
    }

    /// A table of a list's elements; nothing where it has none.
    private static func table(
        _ name: String, _ head: [String], _ root: JSONValue, _ row: (JSONValue) -> [String]
    ) -> String {
        var rows: [[String]] = []
        var elements = root.member(named: name)?.elements
        while let element = elements?.next() { rows.append(row(element)) }
        return rows.isEmpty ? "" : "\n" + TerminalText.table([head] + rows)
    }
}

extension JSONValue {
    fileprivate func text(_ name: String) -> String {
        member(named: name)?.string.map(TerminalText.printable) ?? "-"
    }

    fileprivate func count(_ name: String) -> String? {
        member(named: name)?.integer.map { "\($0)" }
    }

    fileprivate func flag(_ name: String) -> Bool {
        member(named: name)?.bool ?? false
    }

    /// `12s ago`, `5m ago` or `3h ago`; a dash where it is not known.
    fileprivate var age: String {
        guard let seconds = member("age_seconds")?.integer ?? member("key_age_seconds")?.integer else { return "-" }
        return switch seconds {
        case ..<120: "\(seconds)s ago"
        case ..<7200: "\(seconds / 60)m ago"
        default: "\(seconds / 3600)h ago"
        }
    }

    fileprivate func condition(isGood: Bool, good: String, bad: String) -> String {
        let failure = member("last_failure")?.string.map { " (\(TerminalText.printable($0)))" } ?? ""
        return (isGood ? good : bad) + failure
    }
}
