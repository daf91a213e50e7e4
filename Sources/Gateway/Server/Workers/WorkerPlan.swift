import Bytes
import Configuration
import Exchange
import Identity
import Reactor
import TLS
import Tokens

/// One listener as a worker serves it.
struct ListenerPlan {
    let rules: ListenerRules
    let policy: TrustDomainPolicy
    let context: TLSContext
}

/// One upstream as a worker uses it.
struct UpstreamPlan {
    let configuration: UpstreamConfiguration
    /// Where it is.
    let addresses: [SocketAddress]
    /// Our side of TLS, where it is spoken.
    let context: TLSContext?
}

/// All that a worker is told at start and at a reload.
///
/// `@unchecked`: a plan is made by the control thread for one worker, which owns it from the moment that it is posted; the
/// control thread keeps no reference to the plan's TLS contexts, the only parts that are not immutable.
struct WorkerPlan: @unchecked Sendable {
    var snapshot: EnforcementSnapshot
    let listeners: [ListenerPlan]
    /// The upstreams, by name.
    let upstreams: [String: UpstreamPlan]
    let timeouts: Timeouts
    let audit: AuditConfiguration
    /// Issues the transaction tokens for upstreams, if any are wanted.
    let minter: TransactionTokenMinter?
}

/// What the control thread tells a worker.
enum WorkerMessage: Sendable {
    /// Serve by this plan from now on.
    case adopt(WorkerPlan)
    /// Decide by this snapshot from now on.
    case publish(EnforcementSnapshot)
    /// The question of that number was answered; an introspection with what the issuer said, if it said anything.
    case answered(UInt64, introspection: [UInt8]?)
    /// The log has made progress.
    case auditProgressed
    /// Accept no more connections, and end those that there are once their requests are done.
    case drain
    /// The time for that is over.
    case stop
}
