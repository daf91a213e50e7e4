import Identity

/// What a worker has ended because it was taken back.
struct Enforcement: Equatable, Sendable {
    /// Connections that were closed.
    var connections = 0
    /// Calls that were ended on connections that go on.
    var calls = 0

    static func += (left: inout Enforcement, right: Enforcement) {
        left.connections += right.connections
        left.calls += right.calls
    }
}

/// Something that was revoked at one time, as a worker looks for it among what lives.
struct EnforcementOrder: Sendable {
    /// What the worker's answer is known by.
    let number: UInt64
    /// The keys of what was revoked; none where something was taken back.
    let keys: Set<RevocationKey>

    /// Whether it hits something that goes by those names.
    func hits(_ names: [RevocationName]) -> RevocationLevel? {
        if keys.contains(.everything) { return .everything }
        return names.first { keys.contains($0.key) }?.level
    }
}
