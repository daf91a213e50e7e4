/// One link of an AgentWrit delegation chain: who passed a token on, and what it allowed.
///
/// Its signature is not verified here.
public struct DelegationRecord: Equatable, Sendable {
    /// Who delegated.
    public let agent: String
    /// What that agent was allowed, in order, as written.
    public let scopes: [String]
    /// When, as written: the signature is over these characters (RFC 3339).
    public let delegatedAt: String
    /// The broker's signature over the three, 64 bytes (RFC 8032 §5.1.6).
    public let signature: [UInt8]

    /// The most records that are read.
    public static let maximumCount = 16

    init(agent: String, scopes: [String], delegatedAt: String, signature: [UInt8]) {
        self.agent = agent
        self.scopes = scopes
        self.delegatedAt = delegatedAt
        self.signature = signature
    }
}
