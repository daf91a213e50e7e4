import Audit
import Bytes
import Configuration
import Control
import Exchange
import Glibc
import Identity
import Limits
public import Logging
import Possession
import Reactor
import Revocation
import Tokens

/// The whole gateway: workers that serve, an audit thread that records, and this, the control thread, which does everything
/// slow: signals, reload, health.
public final class Gateway {
    let file: String
    let environment: [String: String]
    let logger: Logger

    var configuration: GatewayConfiguration
    var generation: UInt64 = 1
    private let descriptors: Int
    /// The manager that started the process, if it wants to know how it fares.
    let notifier: ServiceNotifier?
    private var watchdogDue: Int64 = 0
    let connections: ConnectionCount
    let audit: AuditWriter
    let records: ControlRecords
    private let signals: SignalSource
    private let mailbox: Mailbox<ControlMessage>
    private let start: ProofStart
    private let memory: ProofMemory
    private let limits = LimitTable(secret: Entropy.bytes(16))
    let issuers: IssuerLiaison
    let names: UpstreamNames
    var tickets = TicketRotation(now: Clock.monotonic())
    var snapshot: EnforcementSnapshot?
    var workers: [WorkerHandle] = []
    private var poller: Poller
    private var observability: ObservabilityServer?
    var draining: DrainSchedule?
    private var failure: GatewayError?
    /// When the gateway began to serve, and when its configuration came into force.
    let startedAt = UnixTime(nanoseconds: Clock.civil())
    var configuredAt = UnixTime(nanoseconds: Clock.civil())
    /// The book of what is revoked, where there is one.
    var desk: RevocationDesk?
    /// What handshakes see of it.
    let view = RevocationView()
    /// What workers were told to enforce, and what they were asked.
    let enforcements = Publications<Enforcement>()
    let surveys = Publications<Survey>()
    let feeds: FeedLiaison
    let lists: CRLLiaison
    /// The questions that wait for a status list, by its address, and for a pushed event, by its batch.
    var listAskers: [String: [FeedAsker]] = [:]
    var pushes: [UInt64: FeedAsker] = [:]
    var admin: AdminServer?
    /// What operators asked for that is done at the end of the turn.
    var errands: [Errand] = []
    /// Who was not let in to administer.
    var refusedOperators = AlertThrottle()

    private static let signalKey = SlotKey(rawValue: 1)
    private static let mailKey = SlotKey(rawValue: 2)
    /// The room for records of one worker, in bytes.
    private static let queueCapacity = 8 << 20

    /// Loads a configuration, and opens nothing yet.
    ///
    /// - Throws: ``ConfigurationFaults`` where it is not valid; ``GatewayError`` where the process lacks something.
    public init(file: String, environment: [String: String], logger: Logger) throws {
        self.file = file
        self.environment = environment
        self.logger = logger
        configuration = try GatewayConfiguration.load(file: file, environment: environment)
        signals = try SignalSource([SIGTERM, SIGINT, SIGHUP, SIGUSR1])
        mailbox = try Mailbox()
        poller = try Poller()
        descriptors = DescriptorLimit.raise()
        notifier = ServiceNotifier(environment: environment)
        audit = try AuditWriter(
            directory: configuration.audit.directory, durability: configuration.audit.durability, logger: logger)
        records = ControlRecords(queue: AuditQueue(capacity: 1 << 20), writer: audit)
        let directory = AuditDirectory(path: configuration.audit.directory)
        let (ahead, undated) = try Self.openMarks(in: directory)
        start = ProofStart(
            earlier: try directory.lastWrite(), mark: ahead.earlier, now: UnixTime(nanoseconds: Clock.civil()))
        memory = ProofMemory(
            capacity: configuration.possession.replayCapacity, secret: Entropy.bytes(48), start: start.moment,
            marks: ReplayMarks(
                undatedUntil: undated.earlier, keepDatedAhead: { ahead.raise(to: $0) },
                keepUndated: { undated.raise(to: $0) }))
        issuers = try IssuerLiaison(mailbox: mailbox, logger: logger)
        names = try UpstreamNames(mailbox: mailbox)
        feeds = try FeedLiaison(mailbox: mailbox, logger: logger)
        lists = try CRLLiaison(mailbox: mailbox, logger: logger)
        let count = configuration.workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        connections = ConnectionCount(limit: configuration.limits.connections, workers: count)
    }

    /// Serves until told to stop by a signal.
    ///
    /// - Throws: ``GatewayError``, or ``AuditWriterError`` where the log cannot be opened.
    public func run() throws {
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let workerCount = configuration.workers ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
        try signals.watch(in: poller, key: Self.signalKey)
        try mailbox.bell.watch(in: poller, key: Self.mailKey)
        issuers.configure(configuration.issuers)
        try openRevocations()
        let prepared = lists.prepare(configuration.listeners)
        let builder = try makeBuilder(configuration, prepared.lists)
        snapshot = builder.snapshot
        connections.setLimit(connectionLimit(configuration), perClient: configuration.limits.connectionsPerClient)
        start.wait()
        var sockets: [[SocketParcel]] = []
        var activated = try takeActivatedSockets()
        for listener in configuration.listeners {
            sockets.append(try ListenerSockets.open(listener, workers: workerCount, activated: &activated))
        }
        guard activated.isEmpty else {
            throw GatewayError(
                "no listener has the name or address of the sockets handed over (\(activated.remaining.joined(separator: ", "))); "
                    + "name them as listeners are named (FileDescriptorName=)")
        }
        if let address = configuration.observability {
            observability = try ObservabilityServer(address: address, poller: poller)
        }
        if let settings = configuration.admin {
            admin = try AdminServer(configuration: settings, poller: poller, logger: logger)
            admin?.desk = self
        }
        audit.register(records.queue) {}
        for index in 0..<workerCount {
            let worker = try WorkerHandle(index: index, plan: builder.plan(), queueCapacity: Self.queueCapacity)
            let mailbox = worker.mailbox
            audit.register(worker.queue) { mailbox.post(.auditProgressed) }
            workers.append(worker)
        }
        try issuers.start(workers: workers.map(\.mailbox))
        try names.start()
        names.watch(configuration.upstreams)
        try feeds.start()
        try lists.start()
        configureFeeds()
        try audit.start()
        records.submit(.gatewayStarted)
        records.submit(.configLoaded, reason: "sha256:\(configuration.digest.hexadecimal)")
        adopt(prepared)
        settle([records.queue])
        for worker in workers {
            try worker.start(
                sockets: sockets.map { $0[worker.index] }, audit: audit, connections: connections, memory: memory,
                limits: limits, control: mailbox, logger: logger)
        }
        for listener in configuration.listeners {
            logger.info("listening", metadata: ["listener": "\(listener.name)", "address": "\(listener.address)"])
        }
        notifier?.ready()
        try control()
    }

    private func takeActivatedSockets() throws(GatewayError) -> ActivatedSockets {
        do { return try ActivatedSockets(environment: environment) } catch {
            throw GatewayError("the sockets that were handed over cannot be used (\(error)); look at LISTEN_FDS")
        }
    }

    /// They lie beside the log: the one place that every gateway can write to, and that is its own.
    private static func openMarks(
        in directory: AuditDirectory
    ) throws(GatewayError) -> (ahead: ProofMark, undated: ProofMark) {
        do {
            try directory.create()
            return (
                try ProofMark(path: directory.path + "/proofs.mark"),
                try ProofMark(path: directory.path + "/workload-proofs.mark")
            )
        } catch {
            throw GatewayError("the marks of used proofs in \(directory.path) cannot be used: \(error)")
        }
    }

    func makeBuilder(
        _ configuration: GatewayConfiguration, _ lists: RevocationLists
    ) throws(GatewayError) -> PlanBuilder {
        let limit = connectionLimit(configuration)
        if limit < configuration.limits.connections {
            logger.warning(
                "limits.connections is lowered to what the limit of open files allows; raise that, or lower the key",
                metadata: ["configured": "\(configuration.limits.connections)", "in force": "\(limit)"])
        }
        return try PlanBuilder(
            configuration, issuers: issuers.withKeys(configuration.issuers),
            generation: generation, connections: limit, addresses: names.addresses(of: configuration.upstreams),
            ticketKeys: tickets.keys, revocations: revocations, view: view, lists: lists)
    }

    func connectionLimit(_ configuration: GatewayConfiguration) -> Int {
        min(configuration.limits.connections, DescriptorLimit.connections(descriptors: descriptors))
    }

    // MARK: The control loop

    private func control() throws(GatewayError) {
        while workers.contains(where: { !$0.hasEnded }) {
            let count: Int
            do { count = try poller.wait(timeout: timeout()) } catch {
                logger.critical("the control loop cannot wait", metadata: ["reason": "\(error)"])
                break
            }
            for index in 0..<count {
                let event = poller[index]
                switch event.key {
                case Self.signalKey: while let signal = signals.next() { handle(signal) }
                case Self.mailKey: readMail()
                case _ where AdminServer.owns(event.key): admin?.ready(event, poller: poller)
                default: observability?.ready(event, state: observed, poller: poller)
                }
            }
            continueDraining()
            dropOldKeys()
            rotateTickets()
            feedWatchdog()
            take(feeds.tick())
            take(lists.tick())
            tendRevocations()
            runErrands()
            tellRefusedOperators()
            records.retry()
            observability?.tick(poller: poller)
            admin?.tick(poller: poller)
        }
        for worker in workers { worker.join() }
        admin?.stop()
        issuers.stop()
        feeds.stop()
        lists.stop()
        names.stop()
        desk?.close()
        settle(workers.map(\.queue))
        records.submit(.gatewayStopped)
        if !audit.stop() {
            failure = failure ?? GatewayError("not all audit records reached the disk; look at the disk")
        }
        logger.info("stopped")
        if let failure { throw failure }
    }

    /// Waits until the log has taken what is in some queues, so that `gateway.started` is the first record of a run and
    /// `gateway.stopped` the last.
    private func settle(_ queues: [AuditQueue]) {
        guard let pause = try? Wakeup() else { return }
        let deadline = Clock.monotonic() + 5_000_000_000
        while queues.contains(where: { !$0.isEmpty }), audit.isHealthy, Clock.monotonic() < deadline {
            audit.hurry()
            pause.wait(timeout: 1)
        }
    }

    private func timeout() -> CInt {
        var longest = observability?.needsTick == true ? 1000 : Int64.max
        if notifier?.watchdogPeriod != nil {
            longest = min(longest, max(0, watchdogDue - Clock.monotonic()) / 1_000_000 + 1)
        }
        longest = min(
            longest, feeds.delay ?? .max, lists.delay ?? .max, desk?.delay ?? .max, admin?.delay ?? .max,
            records.isBacklogged ? 100 : .max)
        if let due = refusedOperators.due { longest = min(longest, max(0, due - Clock.monotonic()) / 1_000_000 + 1) }
        longest = min(longest, issuers.delay ?? .max, max(0, tickets.due - Clock.monotonic()) / 1_000_000 + 1)
        guard let next = draining?.next.map({ $0 - Clock.monotonic() }) else {
            return longest == .max ? -1 : CInt(min(longest, 60_000))
        }
        return CInt(max(0, min(next / 1_000_000 + 1, longest, 60_000)))
    }

    /// Tells the manager that the control loop turns, twice as often as it wants to know.
    private func feedWatchdog() {
        guard let notifier, let period = notifier.watchdogPeriod, Clock.monotonic() >= watchdogDue else { return }
        notifier.watchdog()
        watchdogDue = Clock.monotonic() + period / 2
    }

    /// What `/readyz` says.
    var health: ObservabilityServer.Health {
        if draining != nil { return .notReady("draining") }
        if !audit.isHealthy { return .notReady("the audit log cannot be written") }
        if let reason = issuers.unreadiness ?? feeds.unreadiness ?? lists.unreadiness { return .notReady(reason) }
        return .ready
    }

    /// What the observability address tells.
    private var observed: ObservabilityServer.State {
        ObservabilityServer.State(health: health) { [unowned self] in metrics }
    }

    private func readMail() {
        for message in mailbox.take() {
            switch message {
            case .ask(let worker, let number, let question): ask(question, worker: worker, number: number)
            case .enforced(let worker, let number, let ended): enforcements.confirm(number, by: worker) { $0 += ended }
            case .surveyed(let worker, let number, let found): surveys.confirm(number, by: worker) { $0 += found }
            case .resolved(let hosts): takeNames(hosts)
            case .keysFetched(let fetch, let result): takeKeys(fetch, result)
            case .introspected(let worker, let number, let issuer, let endpoint, let result):
                issuers.introspected(worker: worker, number: number, issuer: issuer, by: endpoint, result)
            case .feedFetched(let answer): take(feeds.fetched(answer))
            case .listFetched(let fetch): take(lists.fetched(fetch))
            case .ended(let index): workerEnded(index)
            case .failed(let index, let reason):
                logger.critical("a worker failed", metadata: ["worker": "\(index)", "reason": "\(reason)"])
                workerEnded(index)
                failure = failure ?? GatewayError("worker \(index) failed (\(reason)); see the log")
                // A gateway with a dead worker would leave its share of the connections hanging.
                for worker in workers { worker.mailbox.post(.stop) }
            }
        }
    }

    /// Nothing is awaited any more of a worker that has ended.
    private func workerEnded(_ index: Int) {
        workers[index].hasEnded = true
        enforcements.workerEnded(index)
        surveys.workerEnded(index)
    }

    private func handle(_ signal: CInt) {
        switch signal {
        case SIGHUP: _ = reload(by: nil)
        case SIGUSR1: audit.reopen()
        default: draining == nil ? drain() : stop()
        }
    }

    // MARK: Keys and names

    /// Publishes what a fetch has brought before those are answered who wait for it.
    private func takeKeys(_ fetch: KeyFetch, _ result: Result<IncomingResponse, RetrievalError>) {
        if case .changed(let isRotation) = issuers.keysFetched(fetch, result) {
            publishKeys()
            logger.info("new keys", metadata: ["issuer": "\(fetch.issuer)"])
            if isRotation { records.submit(.keysRotated, issuer: fetch.issuer) }
        }
        issuers.release(fetch.issuer)
    }

    /// Keys that could not be renewed for too long verify nothing any more.
    private func dropOldKeys() {
        let lapsed = issuers.tick()
        guard !lapsed.isEmpty else { return }
        publishKeys()
        for issuer in lapsed { records.submit(.alertRaised, issuer: issuer, reason: "keys.stale") }
    }

    private func rotateTickets() {
        guard let keys = tickets.rotate(now: Clock.monotonic()) else { return }
        for worker in workers { worker.mailbox.post(.ticketKeys(keys)) }
    }

    private func publishKeys() {
        guard let snapshot else { return }
        generation += 1
        let known = issuers.withKeys(configuration.issuers)
        let fresh = snapshot.with(issuers: IssuerTable(known), generation: generation)
        feeds.adopt(issuers: known)
        self.snapshot = fresh
        for worker in workers { worker.mailbox.post(.publish(fresh)) }
    }

    private func takeNames(_ hosts: [String: [SocketAddress]]) {
        names.take(hosts)
        let addresses = names.known(of: configuration.upstreams)
        for worker in workers { worker.mailbox.post(.move(addresses)) }
    }

    // MARK: Reload and end

    func drain() {
        notifier?.stopping()
        logger.info("draining", metadata: ["connections": "\(connections.count)"])
        draining = DrainSchedule(now: Clock.monotonic(), timeouts: configuration.timeouts)
        continueDraining()
    }

    private func continueDraining() {
        while let step = draining?.take(now: Clock.monotonic()) {
            switch step {
            case .drain:
                for worker in workers { worker.mailbox.post(.drain) }
            case .stop:
                logger.warning("drain timed out", metadata: ["connections": "\(connections.count)"])
                stop()
            }
        }
    }

    private func stop() {
        for worker in workers { worker.mailbox.post(.stop) }
    }
}
