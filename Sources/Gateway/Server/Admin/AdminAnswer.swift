import Bytes
import Identity

/// What an operator is answered.
enum AdminAnswer: Equatable, Sendable {
    /// 201: it is durable, and every worker enforces it.
    case revoked(RevocationReceipt)
    /// 200: what a revocation would hit.
    case preview(RevocationPreview)
    /// 200: a page of what is revoked.
    case revocations(RevocationPage)
    /// 204: it is revoked no more.
    case unrevoked
    /// 200: the issuers.
    case issuers([AdminIssuer])
    /// 200: the gateway at a glance.
    case status(AdminStatus)
    /// 200: the configuration of that digest (lower-case hexadecimal SHA-256) is in force.
    case reloaded(digest: String, warnings: [String])
    /// 202: it drains; so many connections are left.
    case draining(connections: Int)
    /// It was not done, and why.
    case refused(AdminRefusal)
}

/// A revocation that took effect.
struct RevocationReceipt: Equatable, Sendable {
    /// Its names in the store; several where one demand revoked at several levels.
    var ids: [String]
    /// From when on every worker enforced it.
    var effectiveAt: UnixTime
    /// When it ends; of several the first.
    var expiresAt: UnixTime
    /// How many connections it has closed.
    var connectionsClosed: Int
    /// How many calls it has ended on connections that go on.
    var callsEnded: Int
}

/// What a revocation would hit at this moment.
struct RevocationPreview: Equatable, Sendable {
    /// The most agents that are named.
    static let mostAgents = 100

    /// Connections that would be closed.
    var connections: Int
    /// Calls and streams under way that would end.
    var calls: Int
    /// The agents that they are of, the first hundred in the order of their names.
    var agents: [String]
    /// How many agents there are in all.
    var agentCount: Int

    /// Counts the agents, and names as many as may be.
    init(connections: Int, calls: Int, agents: Set<String>) {
        self.connections = connections
        self.calls = calls
        self.agents = Array(agents.sorted().prefix(Self.mostAgents))
        agentCount = agents.count
    }
}

/// A page of what is revoked.
struct RevocationPage: Equatable, Sendable {
    /// The entries, in the order of the store.
    var entries: [RevocationEntry]
    /// What to ask for the page behind, or nothing where this is the last.
    var next: String?
    /// How many entries there are in all, whatever the query.
    var total: Int
}

/// One thing that is revoked.
struct RevocationEntry: Equatable, Sendable {
    /// Its name in the store.
    var id: String
    /// What kind of thing.
    var level: RevocationLevel
    /// Its name.
    var value: String
    /// Whose token, or certificate, it is.
    var issuer: String?
    /// Why.
    var reason: String?
    /// Where it came from: `admin`, or `feed:NAME`.
    var source: String
    /// Who did it.
    var by: String?
    /// When it was made.
    var createdAt: UnixTime
    /// When it ends.
    var expiresAt: UnixTime
}

/// Why something was not done: the answer is problem details (RFC 9457) with a sentence for the operator.
struct AdminRefusal: Error, Equatable, Sendable {
    /// The status of the answer.
    var status: UInt16
    /// The last part of the problem's type.
    var code: String
    /// One sentence that says what to do.
    var detail: String
    /// Everything that is wrong with a configuration, one a line.
    var faults: [String] = []
    /// The methods that there are, where another was used.
    var allowedMethods: String?

    /// 400: what was asked cannot be understood, or is not so.
    static func badRequest(_ detail: String) -> AdminRefusal {
        AdminRefusal(status: 400, code: "bad-request", detail: detail)
    }

    /// 400: the configuration is not valid, so the one in force stays.
    static func badConfiguration(faults: [String]) -> AdminRefusal {
        AdminRefusal(
            status: 400, code: "bad-configuration",
            detail: "the configuration was refused and the one in force stays; mend the faults and reload again",
            faults: faults)
    }

    /// 403: not for this operator.
    static func forbidden(_ detail: String) -> AdminRefusal {
        AdminRefusal(status: 403, code: "forbidden", detail: detail)
    }

    /// 404: there is no such thing.
    static func notFound(_ detail: String) -> AdminRefusal {
        AdminRefusal(status: 404, code: "not-found", detail: detail)
    }

    /// 409: not in the state that the gateway is in.
    static func conflict(_ detail: String) -> AdminRefusal {
        AdminRefusal(status: 409, code: "conflict", detail: detail)
    }

    /// 503: it could not be done, or not be done in time.
    static func unavailable(_ detail: String) -> AdminRefusal {
        AdminRefusal(status: 503, code: "unavailable", detail: detail)
    }
}
