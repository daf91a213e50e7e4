import Bytes
import Configuration
import Control
import Cryptography
import Logging
import Reactor
import Revocation
import Tokens

/// The control thread's dealings with feeds: fetches status lists and events before and when they are needed, and takes in
/// what is delivered.
///
/// It changes nothing itself. What it hears it tells as ``FeedNews``; whoever makes the revocations of a batch durable and
/// enforces them says so with ``settled(_:)``, and only then does the transmitter hear that they are.
final class FeedLiaison {
    private enum Machine {
        case lists(StatusListRefresher)
        case poller(EventPoller)
        case receiver(EventReceiver)
    }

    /// A feed with what is known of it.
    private struct Feed {
        var configuration: FeedConfiguration
        var machine: Machine
    }

    private let retriever: Retriever
    private let mailbox: Mailbox<ControlMessage>
    private let logger: Logger
    private let engine: CryptographicEngine
    private var feeds: [Feed] = []
    private var signers: [String: FeedSigner] = [:]
    private var lifetimes = RevocationTerms.unlimited
    private var lastBatch: UInt64 = 0
    /// The polls whose events wait to become durable, by their batches.
    private var polls: [UInt64: String] = [:]
    /// The lists whose askers need not wait any longer.
    private var settledLists: [String] = []
    private var listsChanged = false

    /// Makes one that knows no feed.
    ///
    /// - Parameter mailbox: where what was fetched is told.
    init(mailbox: Mailbox<ControlMessage>, logger: Logger) throws {
        retriever = try Retriever()
        engine = try CryptographicEngine()
        self.mailbox = mailbox
        self.logger = logger
    }

    /// Starts the thread that fetches.
    func start() throws {
        try retriever.start()
    }

    /// Ends it; whatever is under way fails.
    func stop() {
        retriever.stop()
    }

    // MARK: Configuration

    /// Takes over the feeds of a configuration; what is known of a feed that stays is kept.
    ///
    /// - Parameters:
    ///   - configured: the feeds.
    ///   - issuers: the issuers with the keys that are known now.
    ///   - terms: how long revocations last.
    func configure(_ configured: [FeedConfiguration], issuers: [TokenIssuer], terms: RevocationTerms) {
        lifetimes = terms
        feeds = configured.map { configuration in
            let known = feeds.first { $0.configuration.isContinued(by: configuration) }
            return Feed(
                configuration: configuration,
                machine: known.flatMap { Self.adopted($0.machine, configuration) } ?? Self.machine(configuration))
        }
        adopt(issuers: issuers)
        listsChanged = true
        startDue()
    }

    /// Takes over other keys of issuers.
    func adopt(issuers: [TokenIssuer]) {
        let byName = Dictionary(issuers.map { ($0.issuer, $0) }) { first, _ in first }
        signers = [:]
        for feed in feeds {
            let configuration = feed.configuration
            switch configuration.keys {
            case .own(let keys, let algorithms):
                signers[configuration.name] = FeedSigner(
                    issuer: configuration.issuer, keys: keys, algorithms: algorithms)
            case .issuer:
                let issuer = byName[configuration.issuer]
                signers[configuration.name] = FeedSigner(
                    issuer: configuration.issuer, keys: issuer?.keys ?? .none, algorithms: issuer?.algorithms ?? [])
            }
        }
    }

    private static func machine(_ configuration: FeedConfiguration) -> Machine {
        let (name, staleness, now) = (configuration.name, configuration.maximumStaleness, now.monotonic)
        switch configuration.kind {
        case .statusList(let location):
            return .lists(
                StatusListRefresher(
                    feed: name, location: location, staleness: staleness, jitterSeed: seed(), now: now))
        case .poll(let endpoint):
            return .poller(
                EventPoller(feed: name, endpoint: endpoint, staleness: staleness, jitterSeed: seed(), now: now))
        case .push(let endpoint): return .receiver(EventReceiver(feed: name, endpoint: endpoint, now: now))
        }
    }

    /// The machine with new settings; nothing where it is of another place.
    private static func adopted(_ machine: Machine, _ configuration: FeedConfiguration) -> Machine? {
        switch (machine, configuration.kind) {
        case (.lists(var refresher), .statusList(let location)) where refresher.isAt(location):
            refresher.adopt(location, staleness: configuration.maximumStaleness, now: now.monotonic)
            return .lists(refresher)
        case (.poller(var poller), .poll(let endpoint)) where poller.isAt(endpoint):
            poller.adopt(endpoint, staleness: configuration.maximumStaleness, now: now.monotonic)
            return .poller(poller)
        case (.receiver(var receiver), .push(let endpoint)) where receiver.endpoint.audience == endpoint.audience:
            receiver.adopt(endpoint)
            return .receiver(receiver)
        default: return nil
        }
    }

    // MARK: Time

    /// Starts what is due, and tells what has become stale.
    func tick() -> FeedNews {
        let now = Self.now
        for index in feeds.indices {
            guard case .lists(var refresher) = feeds[index].machine else { continue }
            if refresher.forget(at: now.monotonic) { listsChanged = true }
            feeds[index].machine = .lists(refresher)
        }
        startDue()
        return news()
    }

    /// Milliseconds until ``tick()`` has something to do, if ever.
    var delay: Int64? {
        if listsChanged || !settledLists.isEmpty { return 0 }
        let next = feeds.compactMap { feed in
            switch feed.machine {
            case .lists(let refresher): refresher.nextDue
            case .poller(let poller): poller.nextDue
            case .receiver(let receiver): receiver.intake.clock.nextEvent
            }
        }.min()
        return next.map { max(0, ($0 - Self.now.monotonic).nanoseconds / 1_000_000 + 1) }
    }

    private func startDue() {
        let now = Self.now.monotonic
        for index in feeds.indices {
            switch feeds[index].machine {
            case .lists(var refresher):
                for fetch in refresher.due(at: now) { start(fetch) }
                feeds[index].machine = .lists(refresher)
            case .poller(var poller):
                if let fetch = poller.due(at: now) { start(fetch) }
                feeds[index].machine = .poller(poller)
            case .receiver: break
            }
        }
    }

    private func start(_ fetch: FeedFetch) {
        let mailbox = mailbox
        retriever.fetch(fetch.request) { mailbox.post(.feedFetched(FeedAnswer(fetch: fetch, result: $0))) }
    }

    // MARK: What is heard

    /// A fetch has ended.
    func fetched(_ answer: FeedAnswer) -> FeedNews {
        let now = Self.now
        guard let index = feeds.firstIndex(where: { $0.configuration.name == answer.fetch.feed }),
            let signer = signers[answer.fetch.feed]
        else { return news() }
        var heard = FeedNews()
        switch feeds[index].machine {
        case .lists(var refresher):
            let outcome = refresher.completed(answer, by: signer, engine: engine, at: now)
            feeds[index].machine = .lists(refresher)
            take(outcome, of: answer.fetch)
        case .poller(var poller):
            let terms = EventTerms(signer: signer, lifetimes: lifetimes)
            let reading = poller.completed(answer, by: terms, engine: engine, at: now)
            feeds[index].machine = .poller(poller)
            if let reading { heard = take(reading, of: answer.fetch.feed) }
        case .receiver: break
        }
        startDue()
        return news(heard)
    }

    private func take(_ outcome: StatusListOutcome, of fetch: FeedFetch) {
        guard let uri = fetch.list, outcome != .ignored else { return }
        if case .failed(let reason) = outcome {
            logger.warning(
                "a status list cannot be fetched",
                metadata: ["feed": "\(fetch.feed)", "list": "\(uri)", "reason": "\(reason)"])
        }
        listsChanged = true
        settledLists.append(uri)
    }

    private func take(_ reading: PollReading, of feed: String) -> FeedNews {
        for note in reading.notes { logger.info("an event", metadata: ["feed": "\(feed)", "note": "\(note)"]) }
        if let failure = reading.failure {
            logger.warning("a feed fails", metadata: ["feed": "\(feed)", "reason": "\(failure)"])
        }
        var heard = FeedNews()
        heard.freshnessChanged = true
        guard !reading.revocations.isEmpty else { return heard }
        heard.revocations = reading.revocations
        let batch = nextBatch()
        heard.batch = batch
        // What an older batch of the feed has told comes again: only this one can settle anything.
        polls = polls.filter { $0.value != feed }
        polls[batch] = feed
        return heard
    }

    private func nextBatch() -> UInt64 {
        lastBatch += 1
        return lastBatch
    }

    /// A token names a list that is not known yet: sooner or later news say that it is settled.
    func wants(list uri: String, issuer: String) {
        let now = Self.now.monotonic
        let index = feeds.firstIndex { feed in
            guard case .lists(let refresher) = feed.machine else { return false }
            return feed.configuration.issuer == issuer && refresher.covers(uri)
        }
        guard let index, case .lists(var refresher) = feeds[index].machine else { return settledLists.append(uri) }
        let answer = refresher.want(uri, at: now)
        feeds[index].machine = .lists(refresher)
        switch answer {
        case .settled: settledLists.append(uri)
        case .wait: startDue()
        }
    }

    /// The feed that is delivered at a path of a listener, if one is.
    func feed(listener: String, path: String) -> String? {
        feeds.first { feed in
            guard case .push(let endpoint) = feed.configuration.kind else { return false }
            return endpoint.listener == listener && endpoint.path == path
        }?.configuration.name
    }

    /// Takes in a delivery.
    ///
    /// - Parameters:
    ///   - body: the content of the request.
    ///   - feed: the feed's name.
    ///   - authorization: the value of the field `Authorization`.
    func receive(_ body: [UInt8], feed: String, authorization: String?) -> PushVerdict {
        let now = Self.now
        guard let index = feeds.firstIndex(where: { $0.configuration.name == feed }), let signer = signers[feed],
            case .receiver(var receiver) = feeds[index].machine
        else { return .refused(status: 404, err: "invalid_request", description: "there is no such feed") }
        let terms = EventTerms(signer: signer, lifetimes: lifetimes)
        do throws(PushRefusal) {
            let reading = try receiver.receive(
                body.span, authorization: authorization, by: terms, engine: engine, now: now)
            for note in reading.notes { logger.info("an event", metadata: ["feed": "\(feed)", "note": "\(note)"]) }
            var heard = FeedNews()
            heard.freshnessChanged = true
            if !reading.revocations.isEmpty {
                let batch = nextBatch()
                heard.revocations = reading.revocations
                heard.batch = batch
                receiver.awaits(batch, for: reading)
            }
            feeds[index].machine = .receiver(receiver)
            return .accepted(news(heard), jti: reading.tokenID)
        } catch {
            feeds[index].machine = .receiver(receiver)
            logger.warning(
                "a delivery is refused", metadata: ["feed": "\(feed)", "reason": "\(error.description)"])
            return .refused(status: error.status, err: error.code, description: error.description)
        }
    }

    // MARK: What becomes of it

    /// The revocations of a batch are durable and enforced: their transmitter may be told.
    func settled(_ batch: UInt64) {
        finish(batch, isDurable: true)
    }

    /// The revocations of a batch could not be made durable: their transmitter must tell them again.
    func abandoned(_ batch: UInt64) {
        finish(batch, isDurable: false)
    }

    private func finish(_ batch: UInt64, isDurable: Bool) {
        let now = Self.now.monotonic
        let polled = polls.removeValue(forKey: batch)
        for index in feeds.indices {
            switch feeds[index].machine {
            case .lists: break
            case .poller(var poller):
                guard polled == feeds[index].configuration.name else { continue }
                if isDurable { poller.settled(at: now) } else { poller.abandoned(at: now) }
                feeds[index].machine = .poller(poller)
            case .receiver(var receiver):
                if isDurable { receiver.settled(batch) } else { receiver.abandoned(batch) }
                feeds[index].machine = .receiver(receiver)
            }
        }
        startDue()
    }

    // MARK: What is known

    /// The status lists, with whose tokens are looked up in them.
    var statusLists: StatusListTable {
        let now = Self.now
        return StatusListTable(
            feeds.compactMap { feed in
                guard case .lists(let refresher) = feed.machine,
                    case .statusList(let location) = feed.configuration.kind
                else { return nil }
                return StatusListSource(
                    feed: feed.configuration.name, issuer: feed.configuration.issuer, pattern: location.pattern,
                    deniesWhenStale: feed.configuration.deniesWhenStale, lists: refresher.known(at: now))
            })
    }

    /// How long each feed of events may be believed to have told all; status lists bear their own freshness.
    var freshness: [FeedFreshness] {
        let now = Self.now.monotonic
        return feeds.compactMap { feed in
            let clock: FeedClock
            switch feed.machine {
            case .lists: return nil
            case .poller(let poller): clock = poller.intake.clock
            case .receiver(let receiver): clock = receiver.intake.clock
            }
            return FeedFreshness(
                name: feed.configuration.name, freshUntil: clock.freshUntil(at: now),
                deniesWhenStale: feed.configuration.deniesWhenStale)
        }
    }

    /// How the feeds are doing, in the order of the configuration.
    var statuses: [FeedStatus] {
        let now = Self.now
        return feeds.map { feed in
            switch feed.machine {
            case .lists(let refresher): refresher.status(at: now)
            case .poller(let poller): poller.intake.status(type: "set_poll", at: now.monotonic)
            case .receiver(let receiver): receiver.intake.status(type: "set_push", at: now.monotonic)
            }
        }
    }

    /// Why the gateway cannot decide safely, if it cannot.
    var unreadiness: String? {
        let denying = feeds.filter(\.configuration.deniesWhenStale).map(\.configuration.name)
        return statuses.first { $0.isStale && denying.contains($0.name) }.map { "the feed \($0.name) is stale" }
    }

    // MARK: News

    /// Adds to what was heard what has changed meanwhile.
    private func news(_ heard: FeedNews = FeedNews()) -> FeedNews {
        var news = heard
        let now = Self.now
        for index in feeds.indices {
            let change: FeedClock.Change?
            switch feeds[index].machine {
            case .lists(var refresher):
                change = refresher.change(at: now)
                feeds[index].machine = .lists(refresher)
            case .poller(var poller):
                change = poller.change(at: now.monotonic)
                feeds[index].machine = .poller(poller)
            case .receiver(var receiver):
                change = receiver.change(at: now.monotonic)
                feeds[index].machine = .receiver(receiver)
            }
            guard let change else { continue }
            news.freshnessChanged = true
            let name = feeds[index].configuration.name
            if change == .stale { news.stale.append(name) } else { news.recovered.append(name) }
        }
        if listsChanged || news.freshnessChanged { news.statusLists = statusLists }
        news.settledLists = settledLists
        listsChanged = false
        settledLists = []
        return news
    }

    private static func seed() -> UInt64 {
        var entropy = Entropy()
        return entropy.word()
    }

    private static var now: FeedMoment {
        FeedMoment(
            monotonic: MonotonicTime(nanoseconds: Clock.monotonic()), civil: UnixTime(nanoseconds: Clock.civil()))
    }
}

extension FeedConfiguration {
    /// Whether another configuration speaks of the same feed: by its name, of the same signer.
    fileprivate func isContinued(by other: FeedConfiguration) -> Bool {
        name == other.name && issuer == other.issuer
    }
}
