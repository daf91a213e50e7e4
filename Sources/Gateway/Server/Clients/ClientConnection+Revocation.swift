import Bytes
import Exchange
import Identity
import Revocation
import Tokens

/// What becomes of a connection that lives when its credentials do not.
extension ClientConnection {
    /// Ends the connection where its client was revoked; else those of its calls whose credentials were.
    func enforce(_ revocations: RevocationSnapshot) -> Enforcement {
        guard phase == .serving, let context else { return Enforcement() }
        if let peer = context.peer, let level = revocations.hit(peer.revocationNames) {
            refuse(RevokedCredential(level).reason)
            return Enforcement(connections: 1)
        }
        var ended = Enforcement()
        for call in driver?.calls ?? [] where call.enforce(revocations) { ended.calls += 1 }
        // A protocol without streams knows no other way to end an answer that has begun.
        if phase == .closed { ended = Enforcement(connections: 1) }
        return ended
    }

    /// Counts it where it, or a call of it, is known by one of those keys.
    func count(_ keys: RevocationSet, in survey: inout Survey) {
        guard phase == .serving, let context else { return }
        let calls = driver?.calls ?? []
        survey.allConnections += 1
        if let agent = context.peer?.spiffeID?.text { survey.liveAgents.insert(agent) }
        survey.allCalls += calls.count
        let isKnown = context.peer?.revocationNames.contains { keys.contains($0.key) } == true
        if isKnown || keys.contains(.everything) {
            survey.connections += 1
            survey.calls += calls.count
            if let agent = context.peer?.spiffeID?.text { survey.agents.insert(agent) }
            return
        }
        for call in calls where call.isKnown(by: keys) {
            survey.calls += 1
            if let claims = call.exchange.claims { survey.agents.insert(claims.agent) }
        }
    }

    /// Ends calls whose credentials have expired.
    func endExpired(at now: UnixTime) {
        guard phase == .serving else { return }
        for call in driver?.calls ?? [] where call.isExpired(at: now) { call.end(.invalidToken, "token.expired") }
    }

    /// Ends the connection, and says on record why.
    func refuse(_ reason: String) {
        recordRefusal(reason)
        close(reason)
    }
}
