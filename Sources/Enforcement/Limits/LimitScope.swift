import Bytes

/// Something that has limits, known by its kind and name: what was counted before a reload counts after it.
public struct LimitScope: Equatable, Sendable {
    /// What kind of thing it is.
    public enum Kind: UInt8, Sendable {
        /// A listener.
        case listener
        /// A route.
        case route
    }

    /// What kind of thing it is.
    public let kind: Kind
    /// Its name, unique among its kind.
    public let name: String
    /// How much may be asked.
    public let settings: LimitSettings
    /// What stands for it in a table.
    let key: SipHash.Value

    /// Names something that has limits.
    public init(_ kind: Kind, name: String, settings: LimitSettings) {
        self.kind = kind
        self.name = name
        self.settings = settings
        // Names are the operator's, so there is nothing to keep secret.
        key = SipHash(key: (UInt64(kind.rawValue), 0))(name.utf8.span)
    }
}

/// Who asks: made once by ``LimitTable/agent(_:)`` and used for each request of the same agent.
public struct LimitAgent: Equatable, Sendable {
    let key: SipHash.Value

    /// Everyone who has no name: they share one.
    public static let unnamed = LimitAgent(key: SipHash.Value(first: 0, second: 0))

    /// What stands for this agent at that scope: both are values of a hash, so no two sums meet but by chance.
    func key(at scope: SipHash.Value) -> SipHash.Value {
        SipHash.Value(first: scope.first &+ key.first, second: scope.second &+ ~key.second)
    }
}
