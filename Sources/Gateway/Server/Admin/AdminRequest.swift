import Bytes
import Identity

/// What an operator asks of the gateway.
enum AdminRequest: Equatable, Sendable {
    /// `POST /v1/revocations`: revoke, and say so when every worker enforces it.
    case revoke(RevocationDemand)
    /// `POST /v1/revocations?preview=true`: say what a revocation would hit now, and change nothing.
    case preview(RevocationDemand)
    /// `GET /v1/revocations`: a page of what is revoked.
    case revocations(RevocationQuery)
    /// `DELETE /v1/revocations/{id}`: take one back.
    case unrevoke(id: String)
    /// `GET /v1/issuers`: the issuers and the state of their keys.
    case issuers
    /// `GET /v1/status`: the running gateway at a glance.
    case status
    /// `POST /v1/reload`: load the configuration anew.
    case reload
    /// `POST /v1/drain`: take no new connections, and end when those there are have.
    case drain
}

/// What is to be revoked, as it was asked for: levels and texts are well-formed, values are not judged yet.
struct RevocationDemand: Equatable, Sendable {
    /// What kind of thing is revoked.
    var level: RevocationLevel
    /// Its name.
    var value: String
    /// Whose token, or certificate, it is.
    var issuer: String?
    /// Why, for those who read it later.
    var reason: String?
    /// When it ends; nothing: with the longest life of what it revokes.
    var expiresAt: UnixTime?
    /// Whether everything of that name goes: of an agent, its chain too.
    var isAllOf = false

    /// The levels to revoke the value at.
    var levels: [RevocationLevel] { isAllOf && level == .agent ? [.agent, .chain] : [level] }
}

/// Which revocations are wanted.
struct RevocationQuery: Equatable, Sendable {
    /// The most that one page holds.
    static let largestPage = 1000

    /// Those behind this one, in the order of the store; nothing: from the beginning.
    var after: String?
    /// How many at most.
    var limit = 100
    /// Those of a level alone.
    var level: RevocationLevel?
    /// Those that came from there alone: `admin`, or `feed:NAME`.
    var source: String?
}
