import Audit
import Bytes
import Configuration
import Cryptography
import Exchange
import HTTP
import Identity
import Limits
import Logging
import Reactor
import Revocation
import TLS
import Tokens
import Upstream

/// One thread's share of the gateway: its loop, and everything that its connections use.
///
/// Nothing of it is shared.
final class Worker {
    let index: Int
    let mailbox: Mailbox<WorkerMessage>
    let audit: AuditSink
    let logger: Logger
    let connections: ConnectionCount
    let engine: CryptographicEngine
    let gatekeeper: Gatekeeper
    let limits: LimitTable
    /// The SHA-256 of no content.
    let emptyDigest: Digest256
    let wire = TLSWire()
    let receiveBuffer = ReceiveBuffer()

    var plan: WorkerPlan
    /// Monotonic nanoseconds and civil time of this tick.
    private(set) var now: Int64
    private(set) var time: UnixTime
    private(set) var isDraining = false

    private var poller: Poller
    var endpoints = SlotMap<Endpoint>()
    private var wheel: TimerWheel
    private var due: [TimerWheel.Entry] = []
    private var dirty: [Endpoint] = []
    private var listeners: [ListenerEndpoint] = []
    private var isStopped = false
    private let mailKey: SlotKey
    private var upstreams: [String: UpstreamGroup] = [:]
    private var waiting: [Call] = []
    /// Connections in the order in which they came, those whose handshake is long done among them.
    var handshakes = ArrivalQueue()
    /// Connections whose client must be judged by other rules than those it was admitted by.
    var unsettled: [SlotKey] = []
    private static let settledAtOnce = 32
    private var inquiries = Inquiries<Call>()
    /// The calls whose security events come in.
    var receptions = Receptions()
    let control: Mailbox<ControlMessage>
    private var offeredAt: Int64 = 0
    /// How long calls that wait for the log wait at most before they ask it again, in nanoseconds.
    private static let offerInterval: Int64 = 100_000_000

    /// How the calls were decided since the start.
    var decisions = Decisions()
    var expiryCheckedAt: Int64 = 0
    /// How often calls that go on are looked at, in nanoseconds.
    static let expiryInterval: Int64 = 1_000_000_000

    // Scratch that no connection keeps beyond a call.
    var entropy = Entropy()
    var plaintext = ByteQueue()
    var output = ByteQueue()
    var record = AuditRecord()
    var answerHead = ResponseHead()
    var upstreamHead = ResponseHead()
    /// The trailers that came last, from a client and from an upstream, and those that are to go.
    var clientTrailers = FieldTable()
    var upstreamTrailers = FieldTable()
    var trailers = FieldTable()
    var problemBody = ByteQueue()
    /// The time as HTTP writes it, and the second that it is of.
    private var date = ByteQueue()
    private var dateSecond = Int64.min
    private var spareCalls: [Call] = []
    private static let spareCallLimit = 1024

    init(
        index: Int, mailbox: Mailbox<WorkerMessage>, plan: WorkerPlan, audit: AuditSink, connections: ConnectionCount,
        memory: ProofMemory, limits: LimitTable, control: Mailbox<ControlMessage>, logger: Logger
    ) throws {
        self.index = index
        self.mailbox = mailbox
        self.plan = plan
        self.audit = audit
        self.connections = connections
        self.logger = logger
        engine = try CryptographicEngine()
        gatekeeper = Gatekeeper(engine: engine, memory: memory, limits: limits)
        self.limits = limits
        self.control = control
        emptyDigest = engine.sha256(Span())
        now = Clock.monotonic()
        time = UnixTime(nanoseconds: Clock.civil())
        wheel = TimerWheel(now: now)
        poller = try Poller()
        // No endpoint has generation 0.
        mailKey = SlotKey(rawValue: 0)
        try mailbox.bell.watch(in: poller, key: mailKey)
        adoptUpstreams()
    }

    // MARK: The loop

    /// Serves until told to stop.
    ///
    /// - Throws: where the kernel does not let it wait.
    func run() throws {
        while !isStopped {
            let count = try poller.wait(timeout: timeout())
            allowance = Self.readAllowance
            now = Clock.monotonic()
            time = UnixTime(nanoseconds: Clock.civil())
            for index in 0..<count {
                let event = poller[index]
                if event.key == mailKey { readMail() } else { endpoints[event.key]?.ready(event.readiness) }
            }
            fireTimers()
            if !waiting.isEmpty, now - offeredAt > Self.offerInterval { resumeWaiting() }
            if !unsettled.isEmpty { settleTrust() }
            if now - expiryCheckedAt > Self.expiryInterval { endExpired() }
            flushDirty()
            if audit.unrecorded > 0 { reportUnrecorded() }
            if isDraining, !connections.isServed(by: index) { isStopped = true }
        }
        // What was under way is on record to its end, also where there was no time to end it well.
        for endpoint in endpoints.elements { (endpoint as? ClientConnection)?.close("gateway.stopped") }
        for group in upstreams.values { group.retire() }
        for endpoint in endpoints.elements { (endpoint as? UpstreamConnection)?.close() }
        if audit.unrecorded > 0 { reportUnrecorded() }
    }

    /// How long a tick goes on with what it has made dirty itself, in nanoseconds.
    private static let longestTick: Int64 = 1_000_000
    /// How much is read in a tick before every endpoint gets one piece only, in bytes.
    private static let readAllowance = 1 << 20
    /// What is left of that.
    private(set) var allowance = 0

    /// Counts what an endpoint has read; whether it may read on in this tick.
    func mayReadOn(after count: Int) -> Bool {
        allowance -= count
        return allowance > 0
    }

    private func timeout() -> CInt {
        guard dirty.isEmpty, unsettled.isEmpty else { return 0 }
        let longest = waiting.isEmpty ? 60_000 : Self.offerInterval / 1_000_000
        // Where nobody is served nothing can expire.
        let longestIdle = connections.isServed(by: index) ? min(longest, 1000) : longest
        guard let delay = wheel.delay(from: Clock.monotonic()) else {
            return waiting.isEmpty && longestIdle == longest ? -1 : CInt(longestIdle)
        }
        return CInt(min(delay / 1_000_000 + 1, longestIdle))
    }

    private func fireTimers() {
        wheel.advance(to: now, into: &due)
        for entry in due {
            // An entry that a nearer one has replaced is let go of: else each would breed another.
            guard let endpoint = endpoints[entry.key], endpoint.wheelTime == entry.time else { continue }
            endpoint.wheelTime = .max
            if endpoint.deadline <= now {
                endpoint.deadline = .max
                endpoint.deadlinePassed()
            } else if endpoint.deadline < .max {
                setDeadline(endpoint.deadline, of: endpoint)
            }
        }
        due.removeAll(keepingCapacity: true)
    }

    /// Lets every endpoint that has gathered something write it; what that makes dirty again waits for the next tick.
    private func flushDirty() {
        var round = 0
        while !dirty.isEmpty, round < 4 {
            // Others have events by now.
            if round > 0, Clock.monotonic() - now > Self.longestTick { return }
            let batch = dirty
            dirty.removeAll(keepingCapacity: true)
            for endpoint in batch {
                endpoint.isDirty = false
                endpoint.flush()
            }
            round += 1
        }
    }

    // MARK: Endpoints

    /// Takes an endpoint in and watches its descriptor.
    func add(_ endpoint: Endpoint, watching descriptor: borrowing FileDescriptor, for interest: Poller.Interest) throws
    {
        endpoint.key = endpoints.insert(endpoint)
        do { try poller.add(descriptor, for: interest, key: endpoint.key) } catch {
            endpoints.remove(endpoint.key)
            throw error
        }
    }

    /// Closes the connection that has been longest in its handshake; false where there is none.
    func closeOldestHandshake() -> Bool {
        while let key = handshakes.popFirst() {
            guard let connection = endpoints[key] as? ClientConnection, connection.isInHandshake else { continue }
            connection.close()
            return true
        }
        return false
    }

    /// Closes a connection of that client which nothing is under way on; false where there is none.
    func closeIdle(of client: Digest256) -> Bool {
        let idle = endpoints.first { ($0 as? ClientConnection)?.isIdle(of: client) == true }
        (idle as? ClientConnection)?.close("overload.client-connections")
        return idle != nil
    }

    /// Takes in an endpoint that only watches the time.
    func add(timer endpoint: Endpoint) {
        endpoint.key = endpoints.insert(endpoint)
    }

    /// Watches the descriptor of an endpoint that is in already.
    func watch(_ endpoint: Endpoint, on descriptor: borrowing FileDescriptor, for interest: Poller.Interest) throws {
        try poller.add(descriptor, for: interest, key: endpoint.key)
    }

    /// Stops watching a descriptor that stays open.
    func unwatch(_ descriptor: borrowing FileDescriptor) {
        poller.remove(descriptor)
    }

    /// Lets an endpoint go; closing its descriptor ends the watch.
    func remove(_ endpoint: Endpoint) {
        endpoints.remove(endpoint.key)
    }

    func endpoint(_ key: SlotKey) -> Endpoint? {
        endpoints[key]
    }

    /// Has ``Endpoint/flush()`` called at the end of the tick.
    func markDirty(_ endpoint: Endpoint) {
        guard !endpoint.isDirty else { return }
        endpoint.isDirty = true
        dirty.append(endpoint)
    }

    /// Moves an endpoint's deadline: only where it comes nearer does the wheel hear of it.
    func setDeadline(_ time: Int64, of endpoint: Endpoint) {
        endpoint.deadline = time
        guard time < endpoint.wheelTime else { return }
        endpoint.wheelTime = time
        wheel.schedule(endpoint.key, at: time)
    }

    func listen(_ socket: consuming ListeningSocket, index: Int) throws {
        let endpoint = ListenerEndpoint(worker: self, socket: socket, index: index)
        try endpoint.start()
        listeners.append(endpoint)
    }

    // MARK: Mail

    private func readMail() {
        for message in mailbox.take() {
            switch message {
            case .adopt(let plan): adopt(plan)
            case .move(let addresses): for group in upstreams.values { group.move(to: addresses) }
            case .lists(let lists): adopt(lists)
            case .ticketKeys(let keys): for listener in plan.listeners { listener.context.ticketKeys = keys }
            case .publish(let snapshot): plan.snapshot = snapshot
            case .enforce(let snapshot, let orders): enforce(snapshot, orders)
            case .review(let snapshot): review(snapshot)
            case .survey(let number, let keys): control.post(.surveyed(worker: index, number, survey(keys)))
            case .answered(let number, let answer): finish(number, answer)
            case .auditProgressed: resumeWaiting()
            case .drain: drain()
            case .stop: isStopped = true
            }
        }
    }

    private func adopt(_ plan: WorkerPlan) {
        self.plan = plan
        adoptUpstreams()
        for case let connection as ClientConnection in endpoints.elements where connection.adopt(plan) {
            unsettled.append(connection.key)
        }
    }

    /// Judges some of the connections anew whose listener trusts others than before: all at once would stall the rest.
    private func settleTrust() {
        for key in unsettled.suffix(Self.settledAtOnce) { (endpoints[key] as? ClientConnection)?.settleTrust() }
        unsettled.removeLast(min(Self.settledAtOnce, unsettled.count))
    }

    /// What stays as it was keeps its connections; what has changed gets new ones, also where only a certificate did.
    private func adoptUpstreams() {
        for (name, group) in upstreams {
            guard let fresh = plan.upstreams[name], fresh.configuration.speaks == group.plan.configuration.speaks else {
                upstreams[name] = nil
                group.retire()
                continue
            }
            group.adopt(fresh)
        }
        for (name, fresh) in plan.upstreams where upstreams[name] == nil {
            upstreams[name] = UpstreamGroup(fresh, worker: self)
        }
    }

    private func drain() {
        let isLast = isDraining
        isDraining = true
        for listener in listeners { listener.close() }
        listeners.removeAll()
        for endpoint in endpoints.elements { (endpoint as? ClientConnection)?.drain(isLast: isLast) }
        isStopped = !connections.isServed(by: index)
    }

    // MARK: Records

    /// Records a connection that was refused before any request; no room for it refuses nothing, and is counted.
    ///
    /// - Parameters:
    ///   - listener: where it came in.
    ///   - peer: its address.
    ///   - client: who it is, where that was proven.
    ///   - reason: the exact check.
    func recordRefusedConnection(listener: String, peer: String, client: VerifiedPeer? = nil, reason: String) {
        record.reset()
        if let agent = client?.spiffeID?.text { record.member("agent", agent) }
        if let client { record.member("certificate", digest: client.certificate.fingerprint) }
        record.member(event: .connectionRefused)
        record.member("listener", listener)
        record.member("peer", peer)
        record.member("reason", reason)
        record.member("time", time: time)
        record.finish()
        switch audit.submit(record, reserving: 0) {
        case .taken: break
        case .full: audit.countUnrecorded()
        case .tooLarge: audit.countUnrecorded()
        }
    }

    /// Tells in the log how many records it had no room for.
    private func reportUnrecorded() {
        record.reset()
        record.member("count", number: audit.unrecorded)
        record.member(event: .alertRaised)
        record.member("reason", "audit.unrecorded" as StaticString)
        record.member("time", time: time)
        record.finish()
        switch audit.submit(record, reserving: 0) {
        case .taken: audit.forgetUnrecorded()
        case .full: break
        case .tooLarge: break
        }
    }

    // MARK: Calls

    func takeCall() -> Call {
        spareCalls.popLast() ?? Call(worker: self)
    }

    func recycle(_ call: Call) {
        call.reset()
        if spareCalls.count < Self.spareCallLimit { spareCalls.append(call) }
    }

    func newIdentifier() -> RequestIdentifier {
        RequestIdentifier(entropy.word(), entropy.word())
    }

    /// Parks a call until the log has made progress.
    func wait(_ call: Call) {
        waiting.append(call)
    }

    private func resumeWaiting() {
        offeredAt = now
        let calls = waiting
        waiting = []
        for call in calls { call.auditProgressed() }
    }

    /// Tells in ``answerHead`` when the answer was made, unless who made it has (RFC 9110 §6.6.1).
    func stampAnswer() {
        guard answerHead.fields.firstIndex(of: .date) == nil else { return }
        if dateSecond != time.seconds {
            dateSecond = time.seconds
            date.removeAll()
            date.append(httpDate: time)
        }
        date.withReadable { answerHead.fields.append(.date, value: $0) }
    }

    /// Closes what was opened to upstreams in the name of a client that is gone.
    func clientLeft(_ key: SlotKey) {
        for group in upstreams.values where group.plan.configuration.sendsProxyHeader { group.clientLeft(key) }
    }

    // MARK: Questions

    /// Has the control thread answer a question for a call.
    ///
    /// - Returns: whether it was asked; not where too many questions are open.
    func ask(_ question: Question, for call: Call) -> Bool {
        switch inquiries.open(question, for: call) {
        case .joined: return true
        case .full: return false
        case .opened(let number):
            control.post(.ask(worker: index, number: number, question))
            return true
        }
    }

    /// Lets a call go that waits for no answer any more.
    func forget(_ call: Call) {
        inquiries.forget(call)
    }

    private func finish(_ number: UInt64, _ answer: InquiryAnswer) {
        guard let inquiry = inquiries.close(number) else { return }
        if case .event(let answer) = answer {
            for call in inquiry.calls { call.eventAnswered(answer) }
            return
        }
        if case .introspection(let introspection?) = answer,
            case .introspection(let issuer, let token) = inquiry.question
        {
            do throws(TokenRejection) {
                try gatekeeper.learn(
                    introspection: introspection.span, of: token.span, issuer: issuer, under: plan.snapshot, now: time)
            } catch {
                // A token that its issuer refuses is no event of ours: its call is on record.
                if error == .introspectionAnswer {
                    logger.warning("an introspection answer is none", metadata: ["issuer": "\(issuer)"])
                }
            }
        }
        for call in inquiry.calls { call.questionAnswered() }
    }

    // MARK: Upstreams

    /// Tells the operator what has become of an endpoint.
    func logHealth(of endpoint: UpstreamEndpoint, upstream: String, isHealthy: Bool) {
        let metadata: Logger.Metadata = ["upstream": "\(upstream)", "target": "\(endpoint.address)"]
        guard isHealthy else { return logger.warning("an upstream's endpoint fails its check", metadata: metadata) }
        logger.info("an upstream's endpoint passes its check", metadata: metadata)
    }

    /// The upstream of that name.
    func upstream(_ name: String) -> UpstreamGroup? {
        upstreams[name]
    }
}
