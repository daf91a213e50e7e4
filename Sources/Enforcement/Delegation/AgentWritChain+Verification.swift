public import Bytes
public import Cryptography

/// What a token says of itself, as far as its chain is compared with that.
public struct DelegatedToken: Sendable {
    /// Who holds it.
    let holder: String
    let scopes: [String]
    let issuedAt: UnixTime
    let expiresAt: UnixTime
    /// The longest that any token of the broker lives.
    let longestLifetime: Interval
    /// How far the broker's clock may be from itself.
    let leeway: Interval

    /// Takes over what the token says.
    public init(
        holder: String, scopes: [String], issuedAt: UnixTime, expiresAt: UnixTime, longestLifetime: Interval,
        leeway: Interval
    ) {
        self.holder = holder
        self.scopes = scopes
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.longestLifetime = longestLifetime
        self.leeway = leeway
    }
}

extension AgentWritChain {
    /// Judges every link, and the token at the end.
    ///
    /// The broker signs each record for itself: neither whom it was passed to nor what came before is under the signature.
    /// That the records belong together is what ``init(_:hash:engine:)`` and the token's own signature show.
    ///
    /// - Parameters:
    ///   - token: what the verified token says of itself.
    ///   - keys: the broker's; any of them may have signed a record, since they change while chains live.
    ///   - engine: the thread's.
    /// - Throws: the first fault from the beginning of the chain: `cycle`, `order`, `outlivesParent`, `scope`, `signature`.
    public func verify(
        _ token: DelegatedToken, keys: [PublicKey], engine: CryptographicEngine
    ) throws(LineageFault) {
        // What costs least comes first: a chain that breaks anywhere is refused whole.
        try checkAgents(holder: token.holder)
        try checkTimes(token)
        try checkScopes(token.scopes)
        for (index, record) in records.enumerated() where !Self.isSigned(record, by: keys, engine) {
            throw LineageFault(.signature, at: index)
        }
    }

    /// Nobody passes on to who has it already.
    private func checkAgents(holder: String) throws(LineageFault) {
        var seen: Set<String> = []
        for (index, agent) in (records.map(\.agent) + [holder]).enumerated() where !seen.insert(agent).inserted {
            throw LineageFault(.cycle, at: index)
        }
    }

    /// Each delegation came after the one before, while what it passed on can have been valid.
    ///
    /// The broker lets a child live longer than its parent. When the parent ended is not in the chain; but it was valid when it
    /// was passed on, and no token lives longer than the broker may let it.
    private func checkTimes(_ token: DelegatedToken) throws(LineageFault) {
        guard var previous = records.first?.time else { return }
        let end = previous + token.longestLifetime + token.leeway
        for (index, record) in records.enumerated() {
            guard record.time >= previous else { throw LineageFault(.order, at: index) }
            guard record.time <= end else { throw LineageFault(.outlivesParent, at: index) }
            previous = record.time
        }
        // The broker writes its records' times to the nanosecond, its tokens' to the second.
        guard UnixTime(seconds: previous.seconds) <= token.issuedAt + token.leeway else {
            throw LineageFault(.order, at: records.count)
        }
        guard token.expiresAt <= end else { throw LineageFault(.outlivesParent, at: records.count) }
    }

    /// Nobody passes on more than it has.
    private func checkScopes(_ scopes: [String]) throws(LineageFault) {
        for index in records.indices {
            let next = index + 1 < records.count ? records[index + 1].scopes : scopes
            guard ScopeGrant.cover(records[index].scopes, next) else { throw LineageFault(.scope, at: index + 1) }
        }
    }

    private static func isSigned(
        _ record: DelegationRecord, by keys: [PublicKey], _ engine: CryptographicEngine
    ) -> Bool {
        let text = record.signedText
        return keys.contains { engine.verifies(record.signature.span, of: text.utf8.span, by: $0, with: .ed25519) }
    }
}
