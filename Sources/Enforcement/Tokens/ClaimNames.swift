/// What an issuer calls the claims that no standard names; the names of a claim are tried in order, and the first counts.
public struct ClaimNames: Equatable, Sendable {
    /// The human who answers for the agent.
    public var sponsor: [String]
    /// The task that the token was issued for.
    public var task: [String]
    /// The orchestration that the task belongs to.
    public var orchestration: [String]

    /// What is read where nothing is configured.
    public static let standard = ClaimNames(
        sponsor: ["sponsor", "original_principal"], task: ["task_id"], orchestration: ["orchestration_id", "orch_id"])

    /// Makes the lists of names.
    public init(sponsor: [String], task: [String], orchestration: [String]) {
        self.sponsor = sponsor
        self.task = task
        self.orchestration = orchestration
    }
}
