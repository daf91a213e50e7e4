import Bytes
import Configuration
import Exchange
import HTTP
import Reactor
import Upstream

/// An allowed call's way to its upstream: chooses where it goes, sends it, and sends it again where that is safe.
final class Delivery: UpstreamRequest {
    private unowned let call: Call
    private var worker: Worker { call.worker }
    private var group: UpstreamGroup?
    /// The endpoint of the present attempt.
    private var endpoint: EndpointID?
    private var tried: [EndpointID] = []
    private var attempts = 0
    private var upstream = ""
    /// Whether the next attempt must have a connection of its own: those that have served may have gone stale.
    private var needsFresh = false
    /// What the head of the answer has taught about the endpoint.
    private var headOutcome: EndpointOutcome?
    /// Where it waits until a connection takes it.
    private var queue: UpstreamPlace?
    /// Whether it waits for a connection that is being made.
    private var isWaiting = false
    /// Whether content was given to the present connection.
    private var hasGivenContent = false
    private var isRepeatable = false
    /// Whether bytes pass as they are.
    private var isRaw = false
    private var agentHash: UInt64 = 0

    init(of call: Call) {
        self.call = call
    }

    /// Whether a request was made for the upstream.
    var hasBegun: Bool { isPrepared }

    /// Sends the request.
    func begin(_ request: consuming ForwardableRequest, agent: String) {
        isRaw = false
        isRepeatable = request.isRepeatable
        let upstream = request.upstream
        outgoing = .call(request)
        begin(to: upstream, agent: agent)
    }

    /// Has the bytes of a connection passed.
    func begin(_ passage: consuming ForwardablePassage, agent: String) {
        isRaw = true
        isRepeatable = false
        let upstream = passage.upstream
        outgoing = .bytes(passage)
        begin(to: upstream, agent: agent)
    }

    private func begin(to upstream: String, agent: String) {
        self.upstream = upstream
        group = worker.upstream(upstream)
        attempts = 0
        needsFresh = false
        headOutcome = nil
        tried.removeAll(keepingCapacity: true)
        hasGivenContent = false
        isHeldUp = false
        if group?.plan.configuration.balance == .agentHash { agentHash = AgentHash.of(agent.utf8.span) }
        connect(after: nil)
    }

    /// Gives the request up, if one is under way.
    func abandon() {
        queue?.forget(self)
        queue = nil
        connection?.abandon(self)
        conclude(headOutcome == .failure ? .failure : .cancelled)
    }

    /// Whether it is under way.
    var isUnderWay: Bool { connection != nil || queue != nil }

    /// Takes the request out, so that its memory can be used again.
    func takeRequest() -> ForwardableRequest? {
        group = nil
        guard let head = outgoing.take() else { return nil }
        return head.intoRequest()
    }

    // MARK: Where to

    private func connect(after failure: UpstreamFailure?) {
        // A reload may have put another in its place.
        group = worker.upstream(upstream)
        guard let group else { return call.upstreamFailed(.unreachable("upstream.unknown")) }
        let now = MonotonicTime(nanoseconds: worker.now)
        switch group.balancer.choose(
            agentHash: agentHash, random: worker.entropy.word(), excluding: tried, now: now)
        {
        case .none: call.upstreamFailed(failure ?? .unreachable("upstream.unknown"))
        case .overloaded: call.upstreamFailed(.overloaded)
        case .endpoint(let id):
            endpoint = id
            tried.append(id)
            attempts += 1
            group.balancer.began(id, isRetry: attempts > 1, now: now)
            guard let place = group.place(of: id) else { return failed(.unreachable("upstream.unknown")) }
            serve(by: place)
        }
    }

    /// Sends the request by a connection of that place, or waits there for one.
    func serve(by place: UpstreamPlace) {
        queue = nil
        guard let group else { return }
        guard !place.isRetired else {
            attempts -= 1
            conclude(.cancelled)
            return connect(after: nil)
        }
        let client = group.plan.configuration.sendsProxyHeader ? call.proxiedClient : nil
        if !isRaw, !needsFresh || group.sharesConnections, let available = place.available(to: client) {
            if available.isOpen { endWait() } else { beginWait(in: group) }
            return available.serve(self)
        }
        guard group.balancer.breaker.waitRefusal == nil || isWaiting else { return refuse() }
        if !isRaw, client == nil, place.isOpening {
            if !isWaiting { beginWait(in: group) }
            queue = place
            return place.wait(self)
        }
        guard group.makesRoom() else { return refuse() }
        do {
            let connection = try UpstreamConnection(
                worker: worker, place: place, client: client, for: isRaw ? .bytes : .calls)
            beginWait(in: group)
            connection.serve(self)
        } catch {
            failed(.unreachable("upstream.refused"))
        }
    }

    private func refuse() {
        conclude(.cancelled)
        call.upstreamFailed(.overloaded)
    }

    private func beginWait(in group: UpstreamGroup) {
        guard !isWaiting else { return }
        isWaiting = true
        group.balancer.waitBegan()
    }

    private func endWait() {
        guard isWaiting else { return }
        isWaiting = false
        group?.balancer.waitEnded()
    }

    override func connected() {
        endWait()
    }

    /// Says what the attempt has taught about its endpoint; once.
    private func conclude(_ outcome: EndpointOutcome) {
        endWait()
        guard let id = endpoint.take() else { return }
        group?.balancer.ended(id, outcome, now: MonotonicTime(nanoseconds: worker.now))
    }

    // MARK: The request

    override var isWhole: Bool { call.hasWholeRequest || isUpgrade }

    var canTakeBody: Bool {
        if queue != nil { isHeldUp = true }
        return queue == nil && connection?.canTakeBody(self) ?? true
    }

    func send(_ bytes: Span<UInt8>) {
        hasGivenContent = true
        connection?.sendBody(bytes, of: self)
    }

    func end(trailers: borrowing FieldTable) {
        if trailers.count > 0 { hasGivenContent = true }
        connection?.endBody(of: self, trailers: trailers)
    }

    override func writable() {
        call.upstreamWritable()
    }

    // MARK: The answer

    override var isBlocked: Bool { call.isAnswerBlocked }

    override func answered(hasBody: Bool) {
        let outcome = EndpointOutcome(status: Int(worker.upstreamHead.status))
        headOutcome = outcome
        if !hasBody { conclude(outcome) }
        call.upstreamAnswered(worker.upstreamHead, hasBody: hasBody)
    }

    override func received(_ bytes: Span<UInt8>) {
        call.upstreamSent(bytes)
    }

    override func switched() {
        call.upstreamSwitched()
    }

    override func ended() {
        conclude(headOutcome ?? .success)
        call.upstreamEnded()
    }

    /// The client has taken most of what was sent.
    func resume() {
        connection?.resume(self)
    }

    override func failed(_ failure: UpstreamFailure) {
        queue = nil
        let attempt = RetryRule.Attempt(
            isRepeatable: isRepeatable, contentLeft: hasGivenContent, answerBegan: answerBegan)
        // The upstream may close an idle connection at any time, which says nothing of it: that costs no attempt.
        if isOnReusedConnection, !needsFresh, RetryRule.allows(after: failure.kind, of: attempt) {
            conclude(.cancelled)
            attempts -= 1
            tried.removeAll(keepingCapacity: true)
            needsFresh = true
            return connect(after: failure)
        }
        // Who answers and then has nothing to say for long works.
        conclude(answerBegan && failure.kind == .timedOut ? headOutcome ?? .success : failure.outcome)
        let now = MonotonicTime(nanoseconds: worker.now)
        guard group?.balancer.takeRetry(after: failure.kind, of: attempt, made: attempts, now: now) == true else {
            return call.upstreamFailed(failure)
        }
        needsFresh = true
        connect(after: failure)
    }
}
