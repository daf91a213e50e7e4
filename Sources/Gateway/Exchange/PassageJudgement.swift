public import Audit
public import Bytes
import Configuration
public import Identity
public import Limits
public import Policy
import Revocation

extension Exchange {
    /// Decides whether the bytes of a connection may pass: who the client is, and nothing else, is what there is to judge.
    ///
    /// - Parameters:
    ///   - connection: of a listener of mode `tcp`.
    ///   - snapshot: what to decide by.
    ///   - limits: what all threads count.
    ///   - now: the time.
    public mutating func judgePassage(
        from connection: ConnectionContext, under snapshot: EnforcementSnapshot, limits: LimitTable, now: UnixTime
    ) throws(Denial) -> Passage {
        beginJudgement()
        guard case .tcp(let upstream, _) = connection.rules.mode, let peer = connection.peer else {
            throw Denial(.policy, PassageDenial.anonymous.reason)
        }
        self.upstream = upstream
        let passage = try connection.rules.admit(peer, under: snapshot, now: now)
        if connection.rules.limits != nil {
            let agent = limits.agent(passage.agent.text.utf8.span)
            if let lease = try limits.admit(&self, connection.rules.limits, nil, agent: agent) { keep(lease) }
        }
        return passage
    }
}

extension ListenerRules {
    /// Lets the bytes of a client pass, at first and whenever what is trusted has changed.
    public func admit(
        _ peer: VerifiedPeer, under snapshot: EnforcementSnapshot, now: UnixTime
    ) throws(Denial) -> Passage {
        guard case .tcp(_, let rule) = mode else { throw Denial(.policy, PassageDenial.anonymous.reason) }
        let unrevoked: UnrevokedPeer
        do throws(RevokedCredential) { unrevoked = try snapshot.revocations.check(peer: peer, now: now) } catch {
            throw Denial(error.isUnavailability ? .unavailable : .policy, error.reason)
        }
        do throws(PassageDenial) { return try rule.admit(unrevoked, now: now) } catch {
            throw Denial(.policy, error.reason)
        }
    }
}

/// A connection whose bytes may go to an upstream.
///
/// It is made only from a ``Passage`` and the log's receipt for the record of that.
public struct ForwardablePassage: ~Copyable {
    /// The name of the upstream.
    public let upstream: String

    /// Prepares the connection that the passage was given for; nothing where its listener passes no bytes.
    public init?(_ passage: consuming Passage, receipt: consuming AuditReceipt, connection: ConnectionContext) {
        guard case .tcp(let upstream, _) = connection.rules.mode else { return nil }
        // Both have done their work by being here.
        _ = consume receipt
        _ = consume passage
        self.upstream = upstream
    }
}
