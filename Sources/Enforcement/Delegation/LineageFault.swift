/// Why a chain of delegation does not hold, and where.
public struct LineageFault: Error, Equatable, Sendable {
    /// What is wrong with it.
    public enum Kind: String, CaseIterable, Sendable {
        /// A link holds capabilities that the one before does not.
        case capability
        /// An agent, or a token, appears twice.
        case cycle
        /// There are more links than any chain may have, or than the chain itself allows.
        case depth
        /// A link is not written as it must be.
        case form
        /// The chain's hash is not that of the chain.
        case hash
        /// A link of the chain is missing.
        case missingLink = "missing-link"
        /// The links are not in the order in which they were made.
        case order
        /// A link lives longer than the one before it.
        case outlivesParent = "outlives-parent"
        /// A link does not name the one before it by its hash.
        case parentHash = "parent-hash"
        /// A link holds a scope that the one before does not.
        case scope
        /// A link's signature does not verify.
        case signature
        /// An agent is of a trust domain that the issuer may not name.
        case trustDomain = "trust-domain"
    }

    /// What is wrong with it.
    public let kind: Kind
    /// The place of the link where it breaks, from 0, the present agent's token being behind the last; nothing: the whole.
    public let link: Int?

    /// Makes a fault.
    public init(_ kind: Kind, at link: Int? = nil) {
        self.kind = kind
        self.link = link
    }

    /// What the audit record says: stable, dotted, never part of an answer.
    public var reason: String { "lineage." + kind.rawValue }
}
