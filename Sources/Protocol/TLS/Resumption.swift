public import Bytes

/// How a listener lets clients resume their sessions.
public struct Resumption: Sendable {
    /// How long after the full handshake, in which the client proved to hold its key, a session can be resumed.
    ///
    /// Resuming does not extend it.
    public static let standardLifetime = Interval.seconds(3600)

    /// What seals the tickets; the same for all workers.
    public var keys: TicketKeys
    /// What the caller knows of the listener, such as its name and address.
    ///
    /// The context adds what it knows itself: certificates, lowest version, demand and protocols, and by the policy whom
    /// it trusts.
    public var scope: TLSScope
    /// See ``standardLifetime``.
    public var lifetime: Interval

    /// Makes settings of their parts.
    public init(keys: TicketKeys, scope: TLSScope, lifetime: Interval = standardLifetime) {
        self.keys = keys
        self.scope = scope
        self.lifetime = lifetime
    }
}
