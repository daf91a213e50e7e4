import Audit
import Configuration
import Control
import Exchange
import Limits
import Logging
import Reactor
import Synchronization
import Tokens

/// What workers tell the control thread.
enum ControlMessage: Sendable {
    /// The worker has served its last connection.
    case ended(Int)
    /// The worker could not go on.
    case failed(Int, String)
    /// A worker needs to know something before it can decide about a call.
    case ask(worker: Int, number: UInt64, Question)
    /// A worker enforces the snapshot of that number, and has ended so much.
    case enforced(worker: Int, UInt64, Enforcement)
    /// A worker has counted what was asked for under that number.
    case surveyed(worker: Int, UInt64, Survey)
    /// Hosts of upstreams have these addresses now.
    case resolved([String: [SocketAddress]])
    /// A key set that was to be fetched has come, or has not.
    case keysFetched(KeyFetch, Result<IncomingResponse, RetrievalError>)
    /// A status list or events that were to be fetched have come, or have not.
    case feedFetched(FeedAnswer)
    /// An issuer has said what it thinks of a token, or has not.
    case introspected(
        worker: Int, number: UInt64, issuer: String, by: IntrospectionEndpoint, Result<IncomingResponse, RetrievalError>
    )
    /// A look at a source of revocation lists has ended.
    case listFetched(ListAnswer)
}

/// The control thread's end of a worker.
final class WorkerHandle {
    let index: Int
    let mailbox: Mailbox<WorkerMessage>
    let queue: AuditQueue
    var hasEnded = false
    /// The first plan, until the worker has it.
    private var plan: WorkerPlan?
    private var thread: WorkerThread?

    init(index: Int, plan: WorkerPlan, queueCapacity: Int) throws {
        self.index = index
        self.plan = plan
        mailbox = try Mailbox()
        queue = AuditQueue(capacity: queueCapacity)
    }

    /// Starts the thread.
    ///
    /// It builds everything that it owns itself.
    func start(
        sockets: [SocketParcel], audit: AuditWriter, connections: ConnectionCount, memory: ProofMemory,
        limits: LimitTable, control: Mailbox<ControlMessage>, logger: Logger
    ) throws {
        guard let plan = plan.take() else { return }
        let (index, mailbox, queue) = (index, mailbox, queue)
        thread = try WorkerThread(name: "worker-\(index)") {
            do {
                let sink = AuditSink(queue: queue, durability: plan.audit.durability, writer: audit)
                let worker = try Worker(
                    index: index, mailbox: mailbox, plan: plan, audit: sink, connections: connections, memory: memory,
                    limits: limits, control: control, logger: logger)
                for (listener, parcel) in sockets.enumerated() {
                    guard let socket = parcel.open() else { continue }
                    try worker.listen(socket, index: listener)
                }
                try worker.run()
                control.post(.ended(index))
            } catch {
                control.post(.failed(index, "\(error)"))
            }
        }
    }

    func join() {
        thread?.join()
        thread = nil
    }
}
