/// Which condition of a route a request does not meet.
public enum PolicyDenial: Error, Equatable, Sendable {
    /// The claim of that name is absent, or not what the route asks for.
    case claim(String)
    /// The token was delegated more often than the route allows.
    case delegation
    /// The route takes no tokens of that issuer.
    case issuer
    /// None of the proofs that the route lists holds.
    case possession
    /// The route is not for that path: it was not found by this request.
    case route
    /// No grant of the token covers what the route asks for.
    case scope
    /// The token names no human who answers for the agent.
    case sponsor
    /// The human was not authenticated as the route asks for, or too long ago (RFC 9470 §3).
    case stepUp
    /// The route lets no connection be upgraded to that protocol.
    case upgrade

    /// The stable name of the check that failed, for the audit record.
    public var reason: String {
        switch self {
        case .claim(let name): "policy.claim." + name
        case .delegation: "policy.delegation"
        case .issuer: "policy.issuer"
        case .possession: "policy.possession"
        case .route: "policy.route"
        case .scope: "policy.scope"
        case .sponsor: "policy.sponsor"
        case .stepUp: "policy.step-up"
        case .upgrade: "policy.upgrade"
        }
    }

    /// Whether a wider scope would help: the answer is then `insufficient-scope`.
    public var isScope: Bool { self == .scope }

    /// Whether another authentication of the human would help: the answer is then a challenge (RFC 9470 §3).
    public var isStepUp: Bool { self == .stepUp }

    /// The code of the answer: `insufficient-scope`, `insufficient-authentication` or `policy`.
    public var code: String {
        switch self {
        case .scope: "insufficient-scope"
        case .stepUp: "insufficient-authentication"
        default: "policy"
        }
    }
}
