/// The coarse reason that a client is told, and nothing finer: the exact one is in the audit record.
public enum ProblemCode: String, CaseIterable, Sendable {
    case malformedRequest = "malformed-request"
    case invalidRequest = "invalid-request"
    case credentialsMissing = "credentials-missing"
    case invalidToken = "invalid-token"
    case invalidProof = "invalid-proof"
    case nonceRequired = "nonce-required"
    case invalidWorkloadToken = "invalid-workload-token"
    case insufficientAuthentication = "insufficient-authentication"
    case insufficientScope = "insufficient-scope"
    case policy
    case noRoute = "no-route"
    case misdirected
    case tooLarge = "too-large"
    case rateLimited = "rate-limited"
    case upstreamFailed = "upstream-failed"
    case upstreamTimeout = "upstream-timeout"
    case unavailable

    /// The status that goes with the code where nothing else is said (RFC 9110 §15).
    public var status: UInt16 {
        switch self {
        case .malformedRequest, .invalidRequest, .invalidWorkloadToken: 400
        case .credentialsMissing, .invalidToken, .invalidProof, .nonceRequired, .insufficientAuthentication: 401
        case .insufficientScope, .policy: 403
        case .noRoute: 404
        case .misdirected: 421
        case .tooLarge: 413
        case .rateLimited: 429
        case .upstreamFailed: 502
        case .upstreamTimeout: 504
        case .unavailable: 503
        }
    }

    /// The title of the problem document (RFC 9457 §3.1.3).
    public var title: StaticString {
        switch self {
        case .malformedRequest: "The request is malformed or ambiguous"
        case .invalidRequest: "Credentials were presented in a way that is not allowed"
        case .credentialsMissing: "Credentials are needed"
        case .invalidToken: "The access token is not valid here"
        case .invalidProof: "The proof of possession is not valid"
        case .nonceRequired: "A fresh nonce is needed in the proof"
        case .invalidWorkloadToken: "The workload token or its proof is not valid"
        case .insufficientAuthentication: "A fresher or stronger sign-in of the user is needed"
        case .insufficientScope: "The access token does not grant this call"
        case .policy: "The call is not allowed"
        case .noRoute: "There is nothing here"
        case .misdirected: "This server does not answer for that authority"
        case .tooLarge: "The request exceeds a limit"
        case .rateLimited: "Too many requests"
        case .upstreamFailed: "The service behind the gateway failed"
        case .upstreamTimeout: "The service behind the gateway did not answer in time"
        case .unavailable: "The gateway cannot decide safely now"
        }
    }
}
