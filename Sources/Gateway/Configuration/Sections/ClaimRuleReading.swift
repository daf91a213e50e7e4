import Policy
import Tokens

extension DocumentReader {
    /// The claims that a token must have, each with the value, the values or the beginning that it must have.
    func claimRules() -> [ClaimRule]? {
        guard case .mapping(let entries) = node.content, !entries.isEmpty else {
            refuse("claims are wanted here; write their names, each with the value that it must have")
            return nil
        }
        let section = SectionReader(entries: entries, path: path, line: line, faults: faults)
        let rules = entries.map { entry in
            section.optional(entry.key).flatMap { $0.claimRule(named: entry.key) }
        }
        let good = rules.compactMap { $0 }
        return good.count == rules.count ? good : nil
    }

    private func claimRule(named name: String) -> ClaimRule? {
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            refuse("no claim has such a name; write letters, digits and punctuation, at most 128")
            return nil
        }
        return claimCondition().map { ClaimRule(name: name, condition: $0) }
    }

    private func claimCondition() -> ClaimRule.Condition? {
        switch node.content {
        case .mapping:
            return section(["prefix"])?.required("prefix", "how the claim must begin")?.text().map { .prefix($0) }
        case .sequence:
            guard let items = items(atLeastOne: "value that the claim may have") else { return nil }
            let values = items.compactMap { $0.claimValue() }
            return values.count == items.count ? .oneOf(values) : nil
        case .nothing, .scalar:
            return claimValue().map { .oneOf([$0]) }
        }
    }

    /// A value as JSON would have it: a whole number, `true` or `false` only where there are no quotes around it.
    private func claimValue() -> ClaimValue? {
        guard let text = text() else { return nil }
        guard !node.isQuoted else { return .text(text) }
        if let number = Int64(text), String(number) == text { return .number(number) }
        return ["true": .bool(true), "false": .bool(false)][text] ?? .text(text)
    }
}
