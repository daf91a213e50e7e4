/// Which condition of a route a request does not meet.
public enum PolicyDenial: Error, Equatable, Sendable {
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

    /// The stable name of the check that failed, for the audit record.
    public var reason: String {
        switch self {
        case .delegation: "policy.delegation"
        case .issuer: "policy.issuer"
        case .possession: "policy.possession"
        case .route: "policy.route"
        case .scope: "policy.scope"
        }
    }

    /// Whether a wider scope would help: the answer is then `insufficient-scope`, otherwise `policy`.
    public var isScope: Bool { self == .scope }

    /// The code of the answer: `insufficient-scope` or `policy`.
    public var code: String { isScope ? "insufficient-scope" : "policy" }
}
