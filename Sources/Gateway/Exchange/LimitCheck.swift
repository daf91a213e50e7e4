import Bytes
import Cryptography
import HTTP
import Identity
import Limits
import Policy
import Tokens

extension LimitTable {
    /// Phase 7: whether the limits of the listener, the route and the agent let the call pass; what counts it then.
    func admit(
        _ exchange: inout Exchange, of rules: ListenerRules, _ route: Route
    ) throws(Denial) -> LimitLease? {
        guard rules.limits != nil || route.limits != nil else { return nil }
        let caller = exchange.claims.map { agent($0.countedAgent.utf8.span) } ?? LimitAgent.unnamed
        return try admit(&exchange, rules.limits, route.limits, agent: caller)
    }

    /// The same for what the gateway itself takes in: by the limits of the listener, of whom the client's certificate names.
    func admit(_ exchange: inout Exchange, from connection: ConnectionContext) throws(Denial) {
        guard let scope = connection.rules.limits else { return }
        let name = connection.peer.map { $0.spiffeID?.text ?? $0.certificate.fingerprint.base64URL }
        let caller = name.map { agent($0.utf8.span) } ?? .unnamed
        if let lease = try admit(&exchange, scope, nil, agent: caller) { exchange.keep(lease) }
    }

    /// The same for the agent of a connection that passes bytes.
    func admit(
        _ exchange: inout Exchange, _ first: LimitScope?, _ second: LimitScope?, agent: LimitAgent
    ) throws(Denial) -> LimitLease? {
        let admission = admit(first, second, agent: agent, now: exchange.receivedAt)
        switch consume admission {
        case .admitted(let lease): return lease
        case .limited(let status):
            exchange.limitStatus = status
            throw Denial(.rateLimited, status.reason)
        case .full: throw Denial(.unavailable, "limit.full")
        }
    }
}

extension Exchange {
    /// Tells the client how its limits stand (draft-ietf-httpapi-ratelimit-headers-10).
    mutating func addLimits(to head: inout ResponseHead) {
        guard let limitStatus else { return }
        scratch.removeAll()
        limitStatus.appendPolicy(to: &scratch)
        head.fields.append(literal: "ratelimit-policy", value: scratch.readable)
        scratch.removeAll()
        limitStatus.appendStatus(to: &scratch)
        head.fields.append(literal: "ratelimit", value: scratch.readable)
    }
}
