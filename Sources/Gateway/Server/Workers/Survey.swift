/// How calls were decided.
struct Decisions: Equatable, Sendable {
    /// Calls that were let through.
    var allowed: UInt64 = 0
    /// Calls that were refused.
    var denied: UInt64 = 0
}

/// What a worker serves at one moment, as far as somebody asks for it.
struct Survey: Equatable, Sendable {
    /// Connections that would be closed.
    var connections = 0
    /// Calls that would be ended.
    var calls = 0
    /// Who would be hit.
    var agents: Set<String> = []
    /// Who has a connection.
    var liveAgents: Set<String> = []
    /// All calls under way.
    var allCalls = 0
    /// How calls were decided since the start.
    var decisions: Decisions

    init(decisions: Decisions = Decisions()) {
        self.decisions = decisions
    }

    static func += (left: inout Survey, right: Survey) {
        left.connections += right.connections
        left.calls += right.calls
        left.agents.formUnion(right.agents)
        left.liveAgents.formUnion(right.liveAgents)
        left.allCalls += right.allCalls
        left.decisions.allowed += right.decisions.allowed
        left.decisions.denied += right.decisions.denied
    }
}
