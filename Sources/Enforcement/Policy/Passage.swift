public import Bytes
import Cryptography
public import Identity
public import Revocation

/// Evidence that the bytes of a connection may pass: a client has proven to be an agent that the listener lets through, with a
/// certificate that is valid and not revoked.
///
/// Only ``PassageRule/admit(_:now:)`` makes one. There is no token and no request: it is the connection that is judged,
/// again whenever what is revoked or trusted changes, and not beyond ``expiresAt``.
public struct Passage: ~Copyable, Sendable {
    /// The client.
    public let peer: VerifiedPeer
    /// The agent that it is.
    public let agent: SPIFFEID
    /// The pattern that lets it through.
    public let pattern: AgentPattern
    /// The last moment at which the certificate is valid.
    public var expiresAt: UnixTime { peer.certificate.notAfter }

    fileprivate init(peer: VerifiedPeer, agent: SPIFFEID, pattern: AgentPattern) {
        self.peer = peer
        self.agent = agent
        self.pattern = pattern
    }
}

/// Why the bytes of a connection may not pass.
public enum PassageDenial: Error, Equatable, Sendable {
    /// The agent is none that the listener lets through.
    case agent
    /// The client has not proven a SPIFFE ID.
    case anonymous
    /// The certificate has expired.
    case expired

    /// The stable name of the check that failed, for the audit record.
    public var reason: String {
        switch self {
        case .agent: "passage.agent"
        case .anonymous: "passage.anonymous"
        case .expired: "passage.expired"
        }
    }
}

/// Who may pass bytes through a listener that passes nothing else.
public struct PassageRule: Sendable {
    /// The agents, of whom a client must be one; none listed: nobody may.
    public let allowed: [AgentPattern]

    /// Makes a rule.
    public init(allowed: [AgentPattern]) {
        self.allowed = allowed
    }

    /// Lets a client's bytes pass.
    ///
    /// - Parameters:
    ///   - unrevoked: evidence of who the client is, and that neither its certificate nor the agent is revoked.
    ///   - now: the time.
    public func admit(_ unrevoked: consuming UnrevokedPeer, now: UnixTime) throws(PassageDenial) -> Passage {
        let peer = unrevoked.peer
        guard let agent = peer.spiffeID, peer.provesSPIFFEID else { throw .anonymous }
        guard !peer.isExpired(at: now) else { throw .expired }
        guard let pattern = allowed.first(where: { $0.matches(agent) }) else { throw .agent }
        return Passage(peer: peer, agent: agent, pattern: pattern)
    }
}
