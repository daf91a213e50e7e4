public import Tokens

/// What a route lets serve as proof of possession, beside what every token demands.
public struct PossessionRule: Equatable, Sendable {
    /// Whether the peer's SPIFFE ID may stand for the confirmation of a token without one: the route lists `svid`.
    public let svidServesAsConfirmation: Bool
    /// Whether a workload may use a token about another one; such a token still needs a confirmation, and `svid` is none then.
    public let allowsSubjectMismatch: Bool
    /// Whether a Workload Proof Token counts for the route.
    public private(set) var countsWorkloadProof = true

    /// Makes a rule.
    public init(svidServesAsConfirmation: Bool, allowsSubjectMismatch: Bool) {
        self.svidServesAsConfirmation = svidServesAsConfirmation
        self.allowsSubjectMismatch = allowsSubjectMismatch
    }

    /// The rule for a request with a workload token beside its access token: its proof counts only if the route takes tokens of
    /// its issuer.
    public func counting(_ workload: TokenClaims?, amongIssuers issuers: [String]) -> PossessionRule {
        var rule = self
        if let workload { rule.countsWorkloadProof = issuers.contains { $0.utf8.elementsEqual(workload.issuer.utf8) } }
        return rule
    }
}
