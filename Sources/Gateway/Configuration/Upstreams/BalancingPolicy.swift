/// How the endpoint of a call is chosen among those that are available.
public enum BalancingPolicy: String, CaseIterable, Sendable {
    /// One after the other.
    case roundRobin = "round_robin"
    /// Of two at random, the one with fewer requests under way.
    case leastRequests = "least_requests"
    /// The one that the agent's place on a ring falls to: calls of one agent keep to one endpoint while it is available.
    case agentHash = "agent_hash"
}
