import Audit
import Bytes
import Configuration
import Cryptography
import Exchange
import HTTP
import HTTP1
import Identity
import Policy
import Reactor
import Tokens
import Upstream

/// One request between a client's connection and an upstream's: moves it from phase to phase, and its content both ways.
///
/// Decisions are the ``Gatekeeper``'s; what may be forwarded is a ``ForwardableRequest``; a call only carries them. Calls are
/// used again: one goes back to its worker when the driver, the upstream and the log have all let go of it.
final class Call {
    unowned let worker: Worker
    /// The request and what is known of it.
    var exchange = Exchange()
    /// The HTTP/2 stream; 0 in HTTP/1.
    private(set) var stream: Int32 = 0
    /// Whether all of the request has come.
    private(set) var hasWholeRequest = false
    /// Whether the driver was given all of the answer.
    var isAnswered = false

    var driver: ConnectionDriver?
    private var context: ConnectionContext?
    private(set) lazy var delivery = Delivery(of: self)
    private var isParked = false
    /// Whether an answer of the control thread must come before the decision can be made.
    private var isAsking = false
    /// The security event that the request brings, if it brings one.
    private var reception: EventReception?
    private var parkedAt: Int64?

    private var permit: Permit?
    /// The same of a connection that passes bytes.
    private var passage: Passage?
    private var denial: Denial?
    /// What the gateway itself answers with.
    private var document: ServedDocument?
    private var ticket: AuditTicket?
    /// Whether the log has taken the record of the decision.
    private var isOffered = false
    var tally = CallTally()

    /// The most content that is read and thrown away to keep a connection, in bytes.
    static let discardLimit: UInt64 = 64 << 10

    init(worker: Worker) {
        self.worker = worker
    }

    /// Empties the call for its next use.
    func reset() {
        exchange.reset()
        stream = 0
        hasWholeRequest = false
        isAnswered = false
        context = nil
        permit = nil
        passage = nil
        denial = nil
        document = nil
        reception = nil
        ticket = nil
        isOffered = false
        parkedAt = nil
        tally.reset()
    }

    // MARK: The decision

    /// The request in ``exchange`` is complete but for its content: decides, records, and acts.
    func begin(on driver: ConnectionDriver, stream: Int32, hasBody: Bool) {
        guard attach(driver, stream) != nil else { return }
        hasWholeRequest = !hasBody
        judge()
    }

    /// The connection passes bytes, if it may: decides, records, and acts.
    func beginPassage(on driver: ConnectionDriver) {
        guard let context = attach(driver, 0) else { return }
        do {
            passage = try exchange.judgePassage(
                from: context, under: worker.plan.snapshot, limits: worker.limits, now: worker.time)
        } catch {
            denial = error
        }
        offerRecord()
    }

    private func judge() {
        guard let context else { return }
        let snapshot = worker.plan.snapshot
        do {
            switch try worker.gatekeeper.judge(&exchange, from: context, under: snapshot, now: worker.time) {
            case .permitted(let permit): self.permit = consume permit
            case .serves(let document): self.document = document
            case .receives(let reception):
                self.reception = reception
                if !reception.isAuthorized { denial = Denial(.invalidToken, "event.authentication_failed") }
            case .asks(let question):
                isAsking = worker.ask(question, for: self)
                if isAsking { return }
                denial = Denial(.unavailable, "overload.questions")
            }
        } catch {
            denial = error
        }
        offerRecord()
    }

    /// The control thread has answered: the request is judged anew with what is known now.
    func questionAnswered() {
        isAsking = false
        guard driver != nil else { return letGo() }
        // The request may have turned out to be malformed meanwhile.
        denial == nil ? judge() : offerRecord()
        if !isParked { driver?.resumeInput(of: self) }
    }

    /// The request could not be taken as it came: records and answers that.
    func refuse(_ fault: MessageFault, on driver: ConnectionDriver, stream: Int32) {
        guard attach(driver, stream) != nil else { return }
        hasWholeRequest = true
        denial = Denial(fault)
        offerRecord()
    }

    private func attach(_ driver: ConnectionDriver, _ stream: Int32) -> ConnectionContext? {
        self.driver = driver
        self.stream = stream
        context = driver.connection.context
        let words = (worker.entropy.word(), worker.entropy.word(), worker.entropy.word())
        exchange.begin(
            identifier: worker.newIdentifier(), traceWords: words, now: MonotonicTime(nanoseconds: worker.now))
        return context
    }

    /// Offers the record of the decision to the log: before it has it, nothing happens.
    private func offerRecord() {
        guard let context else { return }
        exchange.write(&worker.record, denial: denial, connection: context, time: worker.time)
        let reserve = denial == nil ? worker.record.byteCount + exchange.completionOverhead : 0
        switch worker.audit.submit(worker.record, reserving: reserve) {
        case .taken(let ticket):
            self.ticket = consume ticket
            isOffered = true
            tally.reserved = reserve
            if denial == nil { worker.decisions.allowed += 1 } else { worker.decisions.denied += 1 }
            proceed()
        case .full:
            let waits = worker.plan.audit.whenFull == .wait && !hasWaitedTooLong
            waits ? park() : refuseUnrecorded("audit.full")
        case .tooLarge:
            refuseUnrecorded("audit.too-large")
        }
    }

    /// Nothing may be answered that is not on record but this: that there is no record.
    private func refuseUnrecorded(_ reason: String) {
        permit = nil
        passage = nil
        worker.audit.countUnrecorded()
        answer(Denial(.unavailable, reason, closesConnection: denial?.closesConnection ?? false))
    }

    /// Goes on where the log is done with the record; else waits for it.
    private func proceed() {
        guard let ticket = ticket.take() else { return }
        guard worker.audit.isSafe(ticket) else {
            self.ticket = consume ticket
            return hasWaitedTooLong ? refuseUnsynced() : park()
        }
        if let permit = permit.take() {
            guard let receipt = worker.audit.redeem(ticket) else { return refuseUnsynced() }
            forward(permit, receipt)
        } else if let passage = passage.take() {
            guard let receipt = worker.audit.redeem(ticket) else { return refuseUnsynced() }
            pass(passage, receipt)
        } else if let denial {
            reception?.isAuthorized == false ? answer(EventAnswer.unauthorized) : answer(denial)
        } else if let document {
            answer(document)
        } else if reception != nil {
            receive()
        }
    }

    private func park() {
        isParked = true
        if parkedAt == nil { parkedAt = worker.now }
        worker.wait(self)
    }

    /// Whether the log was given all the time that an upstream would be, or cannot be written at all.
    private var hasWaitedTooLong: Bool {
        guard let parkedAt else { return false }
        if worker.plan.audit.whenFull == .deny, !worker.audit.isHealthy { return true }
        return worker.now - parkedAt > worker.plan.timeouts.upstreamResponse.nanoseconds
    }

    /// The record is with the log, but the disk does not take it: the call does not go on, and its last record says so.
    private func refuseUnsynced() {
        permit = nil
        passage = nil
        answer(Denial(.unavailable, "audit.timeout"))
    }

    /// The log has made progress, or it is time to look.
    func auditProgressed() {
        isParked = false
        guard driver != nil, tally.status == 0 else { return letGo() }
        isOffered ? proceed() : offerRecord()
        if !isParked { driver?.resumeInput(of: self) }
    }

    // MARK: The request's way

    /// Whether content can be taken now; where not, the driver is told to resume.
    var canTakeBody: Bool {
        if isParked || isAsking { return false }
        return delivery.canTakeBody
    }

    /// Whether content waits for the upstream.
    var isHeldUp: Bool { delivery.isHeldUp }

    func receiveBody(_ bytes: Span<UInt8>) {
        tally.receive(bytes, worker.engine)
        guard reception == nil else {
            // What comes behind an answer is thrown away.
            if tally.status == 0, reception?.append(bytes) == false { refuseBody(.contentTooLarge) }
            return
        }
        charge()
        delivery.send(bytes)
    }

    /// The request has ended; what its trailers said is in ``Worker/clientTrailers``.
    func receiveEnd() {
        hasWholeRequest = true
        guard reception == nil else { return askAboutEvent() }
        exchange.fill(trailers: &worker.trailers, ofRequest: worker.clientTrailers)
        delivery.end(trailers: worker.trailers)
    }

    /// The content is malformed or over a limit.
    func refuseBody(_ fault: MessageFault) {
        hasWholeRequest = true
        // Whatever was decided, the request is not one that may be forwarded.
        permit = nil
        delivery.abandon()
        guard tally.status == 0 else { return abort(fault.rawValue) }
        if isAsking || (isParked && !isOffered) {
            // Not on record yet: the log gets this denial instead, when it is its turn.
            denial = Denial(fault)
            return
        }
        answer(Denial(fault))
    }

    private func forward(_ permit: consuming Permit, _ receipt: consuming AuditReceipt) {
        guard let context else { return }
        let request: ForwardableRequest
        do throws(Denial) {
            request = try ForwardableRequest(
                &exchange, permit: permit, receipt: receipt, connection: context,
                minter: worker.plan.minter, now: worker.time)
        } catch {
            return answer(error)
        }
        if exchange.request.expectsContinue, !hasWholeRequest { driver?.sendContinue(self) }
        delivery.begin(request, agent: exchange.claims?.agent ?? "")
    }

    // MARK: Security events

    /// The request brings a security event: takes its content in.
    private func receive() {
        guard let reception, reception.isOfRightType else { return answer(.wrongType) }
        guard !hasWholeRequest else { return askAboutEvent() }
        guard worker.receptions.open(for: self) else { return answer(Denial(.unavailable, "overload.events")) }
        if exchange.request.expectsContinue { driver?.sendContinue(self) }
        driver?.resumeInput(of: self)
    }

    private func askAboutEvent() {
        worker.receptions.close(for: self)
        guard let reception, reception.isAuthorized, tally.status == 0 else { return }
        isAsking = worker.ask(
            .event(feed: reception.feed, body: reception.body, authorization: reception.authorization), for: self)
        if !isAsking { answer(Denial(.unavailable, "overload.questions")) }
    }

    /// The control thread says what has become of the event.
    func eventAnswered(_ answer: EventAnswer) {
        isAsking = false
        guard driver != nil else { return letGo() }
        self.answer(answer)
    }

    private func pass(_ passage: consuming Passage, _ receipt: consuming AuditReceipt) {
        guard let context else { return }
        let agent = passage.agent.text
        guard let forwardable = ForwardablePassage(passage, receipt: receipt, connection: context) else {
            return answer(Denial(.policy, PassageDenial.anonymous.reason))
        }
        delivery.begin(forwardable, agent: agent)
        if !isParked { driver?.resumeInput(of: self) }
    }

    // MARK: The answer's way

    func upstreamAnswered(_ head: borrowing ResponseHead, hasBody: Bool) {
        guard !exchange.wouldSwitch(by: head) else { return fail(.upstreamFailed, "upstream.upgrade") }
        tally.status = head.status
        exchange.fill(&worker.answerHead, from: head)
        worker.stampAnswer()
        guard !hasBody else {
            driver?.sendHead(worker.answerHead, of: self, ends: false)
            return
        }
        let driver = finish(nil)
        driver?.sendHead(worker.answerHead, of: self, ends: true)
        letGo()
    }

    func upstreamSent(_ bytes: Span<UInt8>) {
        tally.send(bytes, worker.engine)
        charge()
        driver?.sendBody(bytes, of: self)
    }

    /// The upstream agrees to speak another protocol: bytes pass as they are from now on.
    func upstreamSwitched() {
        guard exchange.fill(&worker.answerHead, switching: worker.upstreamHead) else {
            return fail(.upstreamFailed, "upstream.upgrade")
        }
        tally.status = worker.answerHead.status
        hasWholeRequest = false
        driver?.switchProtocols(worker.answerHead, of: self)
    }

    /// The answer is whole.
    func upstreamEnded() {
        let driver = finish(nil)
        exchange.fill(trailers: &worker.trailers, ofAnswer: worker.upstreamTrailers)
        driver?.endBody(of: self, trailers: worker.trailers)
        letGo()
    }

    /// There is no whole answer to be had.
    func upstreamFailed(_ failure: UpstreamFailure) {
        fail(failure.code, failure.reason)
    }

    /// The upstream can take content again.
    func upstreamWritable() {
        driver?.resumeInput(of: self)
    }

    /// The client has taken most of what was sent.
    func answerWritable() {
        delivery.resume()
    }

    /// In whose name a connection to an upstream begins that wants to know.
    var proxiedClient: ProxiedClient? {
        guard let driver, let context else { return nil }
        return driver.connection.proxiedClient(context)
    }

    /// Whether the upstream should pause.
    var isAnswerBlocked: Bool {
        guard let driver else { return false }
        return driver.pending(self) > ConnectionDriver.highMark
    }

    /// Ends the call, however far it has come, since what allowed it holds no more.
    func end(_ code: ProblemCode, _ reason: String) {
        // One that waits for an answer is judged anew with it.
        guard driver != nil, !isAnswered, !isAsking else { return }
        permit = nil
        passage = nil
        document = nil
        guard !isParked else {
            denial = Denial(code, reason)
            return
        }
        fail(code, reason)
    }

    private func fail(_ code: ProblemCode, _ reason: String) {
        delivery.abandon()
        guard tally.status == 0 else { return abort(reason) }
        answer(Denial(code, reason))
    }

    /// An answer that has begun cannot be ended well.
    func abort(_ reason: String) {
        let driver = finish(reason)
        driver?.abort(self)
        letGo()
    }

    /// Counts what is moved against the limits of bytes.
    private func charge() {
        guard exchange.countsBytes else { return }
        let bytes = tally.takeCharge(isOver: false)
        if bytes > 0 { exchange.charge(bytes: bytes, now: MonotonicTime(nanoseconds: worker.now)) }
    }

    // MARK: The end

    /// The client is gone, or has given the call up.
    func clientGone(_ reason: String) {
        if isAsking { isOffered ? forgetQuestion() : leaveQuestion(reason) }
        // Nobody waits for the record of the decision any more, but there is none yet.
        if isParked, !isOffered { worker.audit.countUnrecorded() }
        delivery.abandon()
        _ = finish(reason)
        driver = nil
        letGo()
    }

    private func forgetQuestion() {
        isAsking = false
        worker.forget(self)
    }

    /// Nobody waits for the decision any more; that it was wanted is on record.
    private func leaveQuestion(_ reason: String) {
        forgetQuestion()
        guard let context else { return }
        exchange.write(
            &worker.record, denial: Denial(.unavailable, reason), connection: context, time: worker.time)
        switch worker.audit.submit(worker.record, reserving: 0) {
        case .taken: break
        case .full: worker.audit.countUnrecorded()
        case .tooLarge: worker.audit.countUnrecorded()
        }
    }

    /// The driver has no more use for the call.
    func leaveDriver() {
        driver = nil
        letGo()
    }

    /// Records how an allowed call ended, once.
    func finish(_ reason: String?) -> ConnectionDriver? {
        if reception != nil { worker.receptions.close(for: self) }
        if tally.reserved > 0, let context {
            let duration = MonotonicTime(nanoseconds: worker.now) - exchange.receivedAt
            let completion = tally.completion(duration, reason, emptyDigest: worker.emptyDigest)
            exchange.write(&worker.record, completion: completion, connection: context, time: worker.time)
            worker.audit.complete(worker.record, reserved: tally.reserved)
            tally.reserved = 0
        }
        exchange.endLease(bytes: tally.takeCharge(isOver: true), now: MonotonicTime(nanoseconds: worker.now))
        return driver
    }

    /// Goes back to the worker once nobody holds the call any more.
    func letGo() {
        guard driver == nil, !delivery.isUnderWay, !isParked, !isAsking, context != nil else { return }
        if let forwarded = delivery.takeRequest() { exchange.recycle(forwarded) }
        worker.recycle(self)
    }
}
