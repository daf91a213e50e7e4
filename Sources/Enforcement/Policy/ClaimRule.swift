import Bytes
public import Tokens

/// What a claim of the token must be, so that a request may pass by a route.
public struct ClaimRule: Equatable, Sendable {
    /// The claim's name: a member of the payload.
    public let name: String
    /// What its value must be.
    public let condition: Condition

    /// What the value of a claim must be; of a list, one element.
    public enum Condition: Equatable, Sendable {
        /// One of these, none of them a list.
        case oneOf([ClaimValue])
        /// Text that begins so, byte for byte.
        case prefix(String)
    }

    /// Makes a rule.
    public init(name: String, condition: Condition) {
        self.name = name
        self.condition = condition
    }

    /// Whether a claim that has this value is as the rule wants it; a claim that is absent never is.
    public func holds(for value: ClaimValue?) -> Bool {
        switch value {
        case nil: false
        case .list(let elements): elements.contains { condition.holds(for: $0) }
        case .some(let value): condition.holds(for: value)
        }
    }
}

extension ClaimRule.Condition {
    fileprivate func holds(for value: ClaimValue) -> Bool {
        switch (self, value) {
        case (.oneOf(let values), _): values.contains(value)
        case (.prefix(let prefix), .text(let text)): text.utf8.starts(with: prefix.utf8)
        case (.prefix, _): false
        }
    }
}
