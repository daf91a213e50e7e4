/// What a route lets serve as proof of possession, beside what every token demands.
public struct PossessionRule: Equatable, Sendable {
    /// Whether the peer's SPIFFE ID may stand for the confirmation of a token without one: the route lists `svid`.
    public let svidServesAsConfirmation: Bool
    /// Whether a workload may use a token about another one; such a token still needs a confirmation, and `svid` is none then.
    public let allowsSubjectMismatch: Bool

    /// Makes a rule.
    public init(svidServesAsConfirmation: Bool, allowsSubjectMismatch: Bool) {
        self.svidServesAsConfirmation = svidServesAsConfirmation
        self.allowsSubjectMismatch = allowsSubjectMismatch
    }
}
