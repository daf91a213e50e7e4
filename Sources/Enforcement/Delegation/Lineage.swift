public import Bytes

/// One agent that passed its authority on, and what it held.
public struct LineageLink: Equatable, Sendable {
    /// Who passed it on.
    public let agent: String
    /// What that agent was allowed, in order, as written; empty where the chain does not say.
    public let scopes: [String]
    /// The identifier of the token that it held, where the chain shows it (`jti`).
    public let tokenID: String?
    /// Who issued that token, where the chain shows it.
    public let issuer: String?
    /// The thumbprint of the key that the agent holds, where the chain shows it (RFC 7638).
    public let key: Digest256?

    /// Makes a link.
    public init(
        agent: String, scopes: [String] = [], tokenID: String? = nil, issuer: String? = nil, key: Digest256? = nil
    ) {
        self.agent = agent
        self.scopes = scopes
        self.tokenID = tokenID
        self.issuer = issuer
        self.key = key
    }
}

/// Through whom a token came to the agent that holds it.
public struct Lineage: Equatable, Sendable {
    /// Those who passed it on, the first first; none where nobody did.
    public let links: [LineageLink]

    /// Nobody passed it on.
    public static let none = Lineage([])

    /// The most links that any chain may have, whatever a route allows.
    public static let maximumDepth = 16

    /// Makes a lineage out of links that were judged.
    public init(_ links: [LineageLink]) {
        self.links = links
    }

    /// How many times it was passed on.
    public var depth: Int { links.count }
}
