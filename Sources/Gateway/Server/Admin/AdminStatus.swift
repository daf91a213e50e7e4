import Bytes

/// The running gateway at a glance.
///
/// What is not known, or does not exist in this gateway, is nothing, and is left out of the answer.
struct AdminStatus: Equatable, Sendable {
    /// Whether the gateway should be sent calls.
    enum State: Equatable, Sendable {
        case ready
        /// It cannot decide about some calls, and why.
        case notReady(String)
        case draining
    }

    var state: State
    /// When the process began to serve.
    var startedAt: UnixTime
    /// The SHA-256 of the configuration in force, in lower-case hexadecimal.
    var configurationDigest: String
    /// When it came into force.
    var configuredAt: UnixTime?
    var workers: Int
    var connections: Int
    var connectionLimit: Int
    /// Decisions since the start.
    var calls: AdminCalls?
    /// Agents that have a connection now.
    var liveAgents: Int?
    var listeners: [AdminListener]
    var issuers: [AdminIssuer]
    var revocations: AdminRevocations?
    var feeds: [AdminFeed] = []
    var revocationLists: [AdminRevocationList] = []
    /// Whether the audit log can be written.
    var isAuditHealthy: Bool
}

/// Decisions since the start.
struct AdminCalls: Equatable, Sendable {
    var allowed: UInt64
    var denied: UInt64
    /// Under way now.
    var current: Int
}

/// An address that clients call.
struct AdminListener: Equatable, Sendable {
    var name: String
    var address: String
}

/// An issuer and the state of its keys.
struct AdminIssuer: Equatable, Sendable {
    var issuer: String
    /// The name of the profile, as it is configured.
    var profile: String
    /// Where its keys come from: `file`, `url` or `introspection`.
    var keySource: String
    /// How many keys are known, where keys are.
    var keyCount: Int?
    /// How long ago they were fetched.
    var keyAge: Interval?
    /// Whether its tokens can be verified now.
    var isUsable: Bool
    /// Why the last fetch failed, if it did.
    var lastFailure: String?
}

/// What is revoked, in numbers.
struct AdminRevocations: Equatable, Sendable {
    var entries: Int
    /// By source: `admin`, `feed:NAME`.
    var bySource: [String: Int]
}

/// A feed of revocations.
struct AdminFeed: Equatable, Sendable {
    var name: String
    /// As it is configured: `status_list`, `set_push` or `set_poll`.
    var type: String
    /// How long ago it was last heard; nothing: never.
    var age: Interval?
    /// Whether it is too old to decide by.
    var isStale: Bool
    var entries: Int?
    var lastFailure: String?
}

/// The certificate revocation list of a trust domain.
struct AdminRevocationList: Equatable, Sendable {
    var name: String
    /// How long ago its issuer signed it; nothing: there is none yet.
    var age: Interval?
    var isExpired: Bool
    var entries: Int?
    var lastFailure: String?
}
