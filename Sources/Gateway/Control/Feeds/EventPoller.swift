public import Bytes
public import Cryptography
public import Revocation
import Tokens

/// What a transmitter's answer has brought.
public struct PollReading: Equatable, Sendable {
    /// What is taken back, to be made durable and enforced.
    public let revocations: [Revocation]
    /// What the operator should know.
    public let notes: [String]
    /// Why something of it was not in order; nothing where all was.
    public let failure: String?
}

/// Asks one transmitter for its events (RFC 8936), and tells it what became of them.
///
/// There is never more than one question under way. A token is acknowledged by the question after the moment that what it takes
/// back is durable and enforced, which is asked at once; one that is refused is reported with its reason; one whose key is not
/// known is neither, so that it comes again, and until then the feed does not count as heard.
public struct EventPoller: Sendable {
    /// How long is waited for what a token takes back to become durable, before it is asked for again.
    static let settlingTime = Interval.seconds(30)

    /// The shortest time between two questions, for transmitters that repeat themselves.
    static let shortestPause = Interval.milliseconds(50)

    /// The tokens and what is known of the feed.
    public private(set) var intake: EventIntake
    private var endpoint: PollEndpoint
    private var fetch: UInt64?
    private var lastNumber: UInt64
    private var nextPoll: MonotonicTime
    private var pauses = FetchPauses()
    private var jitter: RefreshJitter
    /// What the next question tells, and the one under way has told.
    private var acks: [String] = []
    private var refusals: [String: PollMessage.Refusal] = [:]
    /// What waits to become durable.
    private var unsettled: [EventReading] = []
    private var mayHaveMore = false

    /// Makes one that is due, and whose questions have numbers after that one.
    public init(
        feed: String, endpoint: PollEndpoint, staleness: Interval, jitterSeed: UInt64? = nil, lastNumber: UInt64 = 0,
        now: MonotonicTime
    ) {
        self.lastNumber = lastNumber
        intake = EventIntake(feed: feed, audience: endpoint.audience, staleness: staleness, now: now)
        self.endpoint = endpoint
        jitter = RefreshJitter(seed: jitterSeed)
        nextPoll = now
    }

    // MARK: Facts

    /// Whether it asks the same transmitter for the same events.
    public func isAt(_ other: PollEndpoint) -> Bool {
        endpoint.url == other.url && endpoint.audience == other.audience
            && endpoint.authorityFile == other.authorityFile
    }

    /// When there is something to do next; nothing where only the end of a question is awaited.
    public var nextDue: MonotonicTime? {
        [fetch == nil ? nextPoll : nil, intake.clock.nextEvent].compactMap(\.self).min()
    }

    // MARK: Inputs

    /// Takes the settings of the same transmitter over.
    public mutating func adopt(_ endpoint: PollEndpoint, staleness: Interval, now: MonotonicTime) {
        self.endpoint = endpoint
        intake.adopt(staleness: staleness)
        if pauses.failures == 0 { nextPoll = min(nextPoll, now + endpoint.pollInterval) }
    }

    /// What has changed for operators since the last call: each change is told once.
    public mutating func change(at now: MonotonicTime) -> FeedClock.Change? { intake.change(at: now) }

    /// The question that is to be asked now; it must be followed by ``completed(_:by:engine:at:)``.
    public mutating func due(at now: MonotonicTime) -> FeedFetch? {
        guard fetch == nil, nextPoll <= now else { return nil }
        // What did not become durable in time comes again.
        unsettled = []
        lastNumber += 1
        fetch = lastNumber
        var fields = [(name: "content-type", value: "application/json"), (name: "accept", value: "application/json")]
        if let authorization = endpoint.authorization {
            fields.append(("authorization", String(decoding: authorization.bytes, as: UTF8.self)))
        }
        let longPoll = mayHaveMore ? nil : endpoint.longPoll
        let timeout = Interval(nanoseconds: (longPoll?.nanoseconds ?? 0) + PollEndpoint.answerTime.nanoseconds)
        let request = OutgoingRequest(
            url: endpoint.url, method: .post, fields: fields,
            body: PollMessage.question(
                returnImmediately: longPoll == nil, acknowledging: acks, refusing: refusals),
            authorityFile: endpoint.authorityFile, timeout: timeout, responseLimit: PollMessage.responseLimit)
        return FeedFetch(feed: intake.feed, list: nil, request: request, number: lastNumber)
    }

    /// Takes in what a question brought; nothing where nobody waits for it any more.
    ///
    /// Where it has revocations, ``settled(at:)`` or ``abandoned(at:)`` must follow.
    public mutating func completed(
        _ answer: FeedAnswer, by terms: EventTerms, engine: CryptographicEngine, at now: FeedMoment
    ) -> PollReading? {
        guard answer.fetch.number == fetch else { return nil }
        fetch = nil
        switch Self.message(answer.result) {
        case .failure(let failure):
            intake.failed(failure.reason)
            nextPoll = now.monotonic + pauses.next(atMost: max(endpoint.pollInterval, FetchPauses.first))
            return PollReading(revocations: [], notes: [], failure: failure.reason)
        case .success(let message):
            // The transmitter has heard what the question told.
            acks = []
            refusals = [:]
            pauses.end()
            mayHaveMore = message.moreAvailable
            return take(message, by: terms, engine: engine, at: now)
        }
    }

    /// What the last answer took back is durable and enforced.
    public mutating func settled(at now: MonotonicTime) {
        for reading in unsettled {
            intake.settle(reading)
            acks.append(reading.tokenID)
        }
        guard !unsettled.isEmpty else { return }
        unsettled = []
        nextPoll = min(nextPoll, now)
    }

    /// What the last answer took back could not be made durable: it will be asked for again.
    public mutating func abandoned(at now: MonotonicTime) {
        unsettled = []
        intake.failed("what it takes back could not be made durable")
        nextPoll = now + pauses.next(atMost: max(endpoint.pollInterval, FetchPauses.first))
    }

    // MARK: Answers

    private struct PollFailure: Error {
        let reason: String
    }

    private static func message(
        _ result: Result<IncomingResponse, RetrievalError>
    ) -> Result<PollMessage.Answer, PollFailure> {
        switch result {
        case .failure(let error): return .failure(PollFailure(reason: error.description))
        case .success(let response) where response.status == 200:
            guard let answer = PollMessage.answer(response.body.span) else {
                return .failure(PollFailure(reason: "the answer is not of RFC 8936"))
            }
            return .success(answer)
        case .success(let response):
            return .failure(PollFailure(reason: RetrievalError.status(response.status).description))
        }
    }

    private mutating func take(
        _ message: PollMessage.Answer, by terms: EventTerms, engine: CryptographicEngine, at now: FeedMoment
    ) -> PollReading {
        var revocations: [Revocation] = []
        var notes: [String] = []
        var failure: String?
        var hasUnsettledKey = false
        for (name, compact) in message.tokens {
            do throws(SecurityEventFault) {
                let reading = try intake.read(compact.span, by: terms, engine: engine, now: now)
                guard reading.tokenID == name else { throw .claim("jti") }
                notes += reading.notes
                if reading.revocations.isEmpty {
                    intake.settle(reading)
                    acks.append(name)
                } else {
                    revocations += reading.revocations
                    unsettled.append(reading)
                }
            } catch {
                failure = "an event is refused: \(error)"
                if error.isUnsettled {
                    hasUnsettledKey = true
                } else {
                    refusals[name] = PollMessage.Refusal(code: error.code, description: error.description)
                }
            }
        }
        if !hasUnsettledKey { intake.heard(at: now) }
        if let failure { intake.failed(failure) }
        nextPoll =
            now.monotonic
            + pause(hasUnsettledKey: hasUnsettledKey, isMoving: !message.tokens.isEmpty)
        return PollReading(revocations: revocations, notes: notes, failure: failure)
    }

    /// How long to wait before the next question.
    private mutating func pause(hasUnsettledKey: Bool, isMoving: Bool) -> Interval {
        if hasUnsettledKey { return pauses.next(atMost: max(endpoint.pollInterval, FetchPauses.first)) }
        if !unsettled.isEmpty { return Self.settlingTime }
        if isMoving || endpoint.longPoll != nil { return Self.shortestPause }
        return jitter.shorten(endpoint.pollInterval)
    }
}
