/// What becomes of the client's `Authorization` on the way to the upstream.
public enum AuthorizationForwarding: String, Sendable {
    /// It is removed.
    case strip
    /// The token is passed on under the scheme `Bearer`.
    case bearer
    /// It is passed on as it came.
    case keep
}

/// What an upstream is told beyond what every upstream is.
public struct ForwardingRule: Equatable, Sendable {
    /// What becomes of the client's `Authorization`.
    public let authorization: AuthorizationForwarding
    /// Whether the client's certificate is passed on (RFC 9440).
    public let clientCertificate: Bool
    /// Whether it is sent a transaction token about the call.
    public let transactionToken: Bool

    /// Makes a rule.
    public init(authorization: AuthorizationForwarding, clientCertificate: Bool, transactionToken: Bool = false) {
        self.authorization = authorization
        self.clientCertificate = clientCertificate
        self.transactionToken = transactionToken
    }
}
