/// What a token allows: to do `action` to the `identifier` among the `resource`, written `action:resource:identifier`.
public struct ScopeGrant: Hashable, Sendable {
    /// The grant as written.
    public let text: String
    /// What may be done, such as `read`.
    public let action: String
    /// To what kind of thing, such as `orders`.
    public let resource: String
    /// To which of them; it may hold further colons.
    public let identifier: String

    /// Splits `text` on its first two colons, or nothing where that leaves not three parts, none of them empty.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        self.text = text
        action = String(parts[0])
        resource = String(parts[1])
        identifier = String(parts[2])
    }

    /// Whether it covers every identifier: only a whole `*` does.
    public var isWildcard: Bool { identifier == "*" }
}

extension ScopeGrant {
    /// Whether it allows all that `other` does: the same action and resource, and the same identifier or any.
    public func covers(_ other: ScopeGrant) -> Bool {
        action.utf8.elementsEqual(other.action.utf8) && resource.utf8.elementsEqual(other.resource.utf8)
            && (isWildcard || identifier.utf8.elementsEqual(other.identifier.utf8))
    }

    /// Whether every scope of `narrower` is covered by one of `wider`; one that is no grant only by its like.
    public static func cover(_ wider: [String], _ narrower: [String]) -> Bool {
        let grants = wider.compactMap { ScopeGrant($0) }
        return narrower.allSatisfy { scope in
            if wider.contains(where: { $0.utf8.elementsEqual(scope.utf8) }) { return true }
            guard let wanted = ScopeGrant(scope) else { return false }
            return grants.contains { $0.covers(wanted) }
        }
    }
}
