public import Bytes
import Cryptography
public import Identity
public import Tokens

/// Evidence that nothing of a request's credentials was revoked.
///
/// Only ``RevocationSnapshot`` can make it.
public struct Unrevoked: ~Copyable {
    fileprivate init() {}
}

/// Evidence that a client, of whom nothing but its certificate is known, was not revoked.
///
/// Only ``RevocationSnapshot`` can make it; it says nothing of any token.
public struct UnrevokedPeer: ~Copyable {
    /// The client.
    public let peer: VerifiedPeer

    fileprivate init(peer: VerifiedPeer) {
        self.peer = peer
    }
}

/// Everything that is revoked at one time: immutable, published whole.
public struct RevocationSnapshot: Sendable {
    private let tokens: Set<RevokedToken>
    private let agents: Set<String>
    private let tasks: Set<RevokedTask>
    private let chains: Set<String>
    private let certificates: Set<Digest256>
    private let keys: Set<Digest256>
    /// Whether nothing is revoked: then a check costs nothing.
    public let isEmpty: Bool

    /// Nothing is revoked.
    public static let empty = RevocationSnapshot()

    /// Makes a snapshot.
    ///
    /// - Parameters:
    ///   - tokens: single tokens.
    ///   - agents: SPIFFE IDs, or subjects that are none.
    ///   - tasks: `TASK`, or `ORCHESTRATION/TASK`.
    ///   - chains: the roots of delegation chains, as SPIFFE IDs or subjects; a token that nobody delegated is the root of its
    ///     own.
    ///   - certificates: SHA-256 digests of DER.
    ///   - keys: RFC 7638 thumbprints of keys that tokens are bound to, or that signed them.
    public init(
        tokens: Set<RevokedToken> = [], agents: Set<String> = [], tasks: Set<String> = [], chains: Set<String> = [],
        certificates: Set<Digest256> = [], keys: Set<Digest256> = []
    ) {
        self.tokens = tokens
        self.agents = agents
        self.tasks = Set(tasks.flatMap(RevokedTask.readings))
        self.chains = chains
        self.certificates = certificates
        self.keys = keys
        isEmpty =
            tokens.isEmpty && agents.isEmpty && tasks.isEmpty && chains.isEmpty && certificates.isEmpty && keys.isEmpty
    }

    /// Checks all that a request shows: a few hash probes, and none where nothing is revoked.
    public func check(
        token: borrowing VerifiedToken, peer: VerifiedPeer?
    ) throws(RevokedCredential) -> Unrevoked {
        if !isEmpty {
            try check(token.claims, certificate: peer?.certificate.fingerprint, identity: peer?.spiffeID)
        }
        return Unrevoked()
    }

    /// Checks the client of a connection that carries no tokens: its certificate, and the agent that it is.
    public func check(peer: VerifiedPeer) throws(RevokedCredential) -> UnrevokedPeer {
        if !isEmpty { try check(certificate: peer.certificate.fingerprint, identity: peer.spiffeID) }
        return UnrevokedPeer(peer: peer)
    }

    /// The same on plain values.
    ///
    /// An agent whose chains are revoked does not act for itself either.
    func check(certificate: Digest256, identity: SPIFFEID?) throws(RevokedCredential) {
        if let identity, agents.contains(identity.text) { throw .agent }
        if let identity, chains.contains(identity.text) { throw .chain }
        if certificates.contains(certificate) { throw .certificate }
    }

    /// The same on plain values: the claims, the peer's certificate and its identity.
    func check(
        _ claims: TokenClaims, certificate: Digest256?, identity: SPIFFEID?
    ) throws(RevokedCredential) {
        if let tokenID = claims.tokenID, tokens.contains(RevokedToken(issuer: claims.issuer, tokenID: tokenID)) {
            throw .token
        }
        if agents.contains(claims.subject) { throw .agent }
        if let identity, agents.contains(identity.text) { throw .agent }
        if let task = claims.task {
            if tasks.contains(RevokedTask(orchestration: nil, task: task)) { throw .task }
            if let orchestration = claims.orchestration,
                tasks.contains(RevokedTask(orchestration: orchestration, task: task))
            {
                throw .task
            }
        }
        if chains.contains(claims.subject) { throw .chain }
        if let certificate, certificates.contains(certificate) { throw .certificate }
        if let bound = claims.confirmations.certificate, certificates.contains(bound) { throw .certificate }
        if let key = claims.confirmations.key, keys.contains(key) { throw .key }
        if let key = claims.confirmations.publicKey?.publicKey.thumbprint, keys.contains(key) { throw .key }
        if let key = claims.signingKey, keys.contains(key) { throw .key }
    }
}
