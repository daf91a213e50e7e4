import Bytes
import Configuration
import Cryptography
import Exchange
import Identity
import ProxyProtocol
import Reactor
import Revocation
import TLS
import Tokens

/// One listener as a worker serves it.
struct ListenerPlan {
    let rules: ListenerRules
    let policy: TrustDomainPolicy
    let context: TLSContext
    /// Changes with whatever may make a client that was admitted one that would not be.
    let trust: Digest256
    let demand: ClientCertificateDemand
    /// The peers whose connections begin with a PROXY header.
    let proxyPeers: [AddressBlock]
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

    /// The same plan, by another snapshot.
    func deciding(by snapshot: EnforcementSnapshot) -> WorkerPlan {
        var plan = self
        plan.snapshot = snapshot
        return plan
    }
}

/// What the control thread answers to a question.
enum InquiryAnswer: Sendable {
    /// What there is to know is published.
    case published
    /// The issuer said that of a token, if it said anything.
    case introspection([UInt8]?)
    /// That has become of a security event.
    case event(EventAnswer)
}

/// What the control thread tells a worker.
enum WorkerMessage: Sendable {
    /// Serve by this plan from now on.
    case adopt(WorkerPlan)
    /// Decide by this snapshot from now on.
    case publish(EnforcementSnapshot)
    /// Decide by this snapshot from now on, end what lives on what the orders revoke, and say of each that it is done.
    case enforce(EnforcementSnapshot, [EnforcementOrder])
    /// Decide by this snapshot from now on, and end calls whose tokens its status lists object to.
    case review(EnforcementSnapshot)
    /// Count what lives on any of these keys, for the question of that number.
    case survey(UInt64, Set<RevocationKey>)
    /// Judge clients by these lists of their authorities from now on, those that are connected already too.
    case lists(RevocationLists)
    /// Session tickets are made with these keys from now on.
    case ticketKeys(TicketKeys)
    /// The targets of upstreams are there from now on.
    case move([UpstreamTarget: [SocketAddress]])
    /// The question of that number was answered.
    case answered(UInt64, InquiryAnswer)
    /// The log has made progress.
    case auditProgressed
    /// Accept no more connections, and end those that there are once their requests are done.
    case drain
    /// The time for that is over.
    case stop
}
