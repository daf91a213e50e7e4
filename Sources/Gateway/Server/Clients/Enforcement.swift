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
