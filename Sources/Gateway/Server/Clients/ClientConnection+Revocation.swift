import Bytes
import Exchange
import Identity
import Revocation
import Tokens

/// What becomes of a connection that lives when its credentials do not.
extension ClientConnection {
    /// Ends the connection where one of the orders revokes its client; else those of its calls that one does.
    ///
    /// - Parameter ended: what each order has ended so far.
    func enforce(_ orders: [EnforcementOrder], counting ended: inout [Enforcement]) {
        guard phase == .serving, let context else { return }
        let names = context.peer?.revocationNames ?? []
        for (place, order) in orders.enumerated() {
            guard let level = order.hits(names) else { continue }
            refuse(RevokedCredential(level).reason)
            ended[place].connections += 1
            return
        }
        for call in driver?.calls ?? [] {
            guard let place = orders.firstIndex(where: { call.isRevoked(by: $0) }) else { continue }
            // A protocol without streams knows no other way to end an answer that has begun.
            if phase == .closed { ended[place].connections += 1 } else { ended[place].calls += 1 }
        }
    }

    /// Whether its client was revoked before it was let in: then the connection is over.
    func isRevoked(by revocations: RevocationSnapshot) -> Bool {
        guard let level = revocations.hit(context?.peer?.revocationNames ?? []) else { return false }
        refuse(RevokedCredential(level).reason)
        return true
    }

    /// Ends calls whose tokens a status list objects to.
    func review(_ revocations: RevocationSnapshot) {
        guard phase == .serving else { return }
        for call in driver?.calls ?? [] { call.review(revocations) }
    }

    /// Counts it where it, or a call of it, is known by one of those keys.
    func count(_ keys: Set<RevocationKey>, in survey: inout Survey) {
        guard phase == .serving, let context else { return }
        let calls = driver?.calls ?? []
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
        for call in driver?.calls ?? [] { call.endIfExpired(at: now) }
    }

    /// Ends the connection, and says on record why.
    func refuse(_ reason: String) {
        recordRefusal(reason)
        close(reason)
    }
}
