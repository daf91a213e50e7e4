/// The steps of a decision, in their order.
public enum DecisionPhase: UInt8, CaseIterable, Comparable, Sendable {
    /// The request is for us, and its target has one reading.
    case target
    /// A route is for it.
    case route
    /// It bears one token, from an issuer we believe, valid now.
    case token
    /// Whoever sends it holds the key that the token is bound to.
    case binding
    /// The chain of delegation behind the token holds.
    case lineage
    /// Nothing of its credentials was taken back.
    case revocation
    /// It meets the conditions of the route.
    case policy
    /// Its proof is used for the first time.
    case replay

    /// The order of the decision.
    public static func < (left: DecisionPhase, right: DecisionPhase) -> Bool { left.rawValue < right.rawValue }
}
