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
    /// A feed with what is known of it.
    private struct Feed {
        var configuration: FeedConfiguration
        var machine: FeedMachine
        var refusals = RefusalPace()

        /// Takes the machine out, to be put back.
        mutating func take() -> FeedMachine {
            defer { machine = .taken }
            return machine
        }
    }

    private let retriever: Retriever
    private let mailbox: Mailbox<ControlMessage>
    private let logger: Logger
    private let engine: CryptographicEngine
    private var feeds: [Feed] = []
    private var signers: [String: FeedSigner] = [:]
    private var lifetimes = RevocationTerms.unlimited
    private var lastBatch: UInt64 = 0
    /// How many configurations there were: fetches of each have numbers of their own.
    private var generation: UInt64 = 0
    /// The polls whose events wait to become durable, by their batches.
    private var polls: [UInt64: String] = [:]
    /// The lists that somebody waits for, and whose tokens name them.
    private var awaited: [String: Set<String>] = [:]
    /// The lists whose askers need not wait any longer.
    private var settledLists: [String] = []
    private var listsChanged = false
    /// Whether it is not told yet what the feeds of a configuration are, and that they were not heard.
    private var isConfigurationNew = false

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
        let now = FeedMoment.present
        let lastNumber = generation << 32
        generation += 1
        feeds = configured.map { configuration in
            let known = feeds.first { $0.configuration.isContinued(by: configuration) }
            return Feed(
                configuration: configuration,
                machine: known?.machine.adopted(by: configuration, at: now.monotonic)
                    ?? FeedMachine(configuration, after: lastNumber, at: now.monotonic))
        }
        adopt(issuers: issuers)
        isConfigurationNew = true
        askAgain()
        startDue()
    }

    /// Asks for the lists again that somebody waits for: who fetched them may be gone.
    private func askAgain() {
        let lists = awaited
        awaited = [:]
        for (uri, issuers) in lists { for issuer in issuers { wants(list: uri, issuer: issuer) } }
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

    // MARK: Time

    /// Starts what is due, and tells what has become stale.
    func tick() -> FeedNews {
        let now = FeedMoment.present
        for index in feeds.indices {
            guard case .lists(var refresher) = feeds[index].machine else { continue }
            feeds[index].machine = .taken
            if refresher.forget(at: now.monotonic) { listsChanged = true }
            feeds[index].machine = .lists(refresher)
        }
        startDue()
        return news()
    }

    /// Milliseconds until ``tick()`` has something to do, if ever.
    var delay: Int64? {
        if isConfigurationNew || listsChanged || !settledLists.isEmpty { return 0 }
        let next = feeds.compactMap(\.machine.nextDue).min()
        return next.map { max(0, ($0 - FeedMoment.present.monotonic).nanoseconds / 1_000_000 + 1) }
    }

    private func startDue() {
        let now = FeedMoment.present.monotonic
        for index in feeds.indices {
            switch feeds[index].take() {
            case .lists(var refresher):
                for fetch in refresher.due(at: now) { start(fetch) }
                feeds[index].machine = .lists(refresher)
            case .poller(var poller):
                if let fetch = poller.due(at: now) { start(fetch) }
                feeds[index].machine = .poller(poller)
            case .receiver(let receiver): feeds[index].machine = .receiver(receiver)
            case .taken: break
            }
        }
    }

    /// Has a fetch made; a list is verified where it was fetched, since a long one takes longer than a revocation may wait.
    private func start(_ fetch: FeedFetch) {
        let (mailbox, signer) = (mailbox, signers[fetch.feed])
        retriever.fetch(fetch.request) { result in
            var answer = FeedAnswer(fetch: fetch, result: result)
            if fetch.list != nil, let signer, let engine = try? CryptographicEngine() {
                answer.verifyList(by: signer, engine: engine, now: FeedMoment.present.civil)
            }
            mailbox.post(.feedFetched(answer))
        }
    }

    // MARK: What is heard

    /// A fetch has ended.
    func fetched(_ answer: FeedAnswer) -> FeedNews {
        let now = FeedMoment.present
        guard let index = feeds.firstIndex(where: { $0.configuration.name == answer.fetch.feed }),
            let signer = signers[answer.fetch.feed]
        else {
            settleUnfetched(answer.fetch)
            return news()
        }
        var heard = FeedNews()
        switch feeds[index].take() {
        case .lists(var refresher):
            let outcome = refresher.completed(answer, by: signer, engine: engine, at: now)
            feeds[index].machine = .lists(refresher)
            take(outcome, of: answer.fetch)
        case .poller(var poller):
            let terms = EventTerms(signer: signer, lifetimes: lifetimes)
            let reading = poller.completed(answer, by: terms, engine: engine, at: now)
            feeds[index].machine = .poller(poller)
            if let reading { heard = take(reading, of: answer.fetch.feed) }
        case .receiver(let receiver): feeds[index].machine = .receiver(receiver)
        case .taken: break
        }
        settleUnfetched(answer.fetch)
        startDue()
        return news(heard)
    }

    /// Lets nobody wait for the list of a fetch that has ended, unless it is fetched once more: by whom a reload has put in the
    /// place of who began.
    private func settleUnfetched(_ fetch: FeedFetch) {
        guard let uri = fetch.list, awaited[uri] != nil else { return }
        let isFetching = feeds.contains { feed in
            guard case .lists(let refresher) = feed.machine else { return false }
            return refresher.isFetching(uri)
        }
        if !isFetching { settle(uri) }
    }

    private func settle(_ uri: String) {
        awaited[uri] = nil
        settledLists.append(uri)
    }

    private func take(_ outcome: StatusListOutcome, of fetch: FeedFetch) {
        // Whoever waits for what is ignored waits for another fetch, or for none.
        guard let uri = fetch.list, outcome != .ignored else { return }
        if case .failed(let reason) = outcome {
            logger.warning(
                "a status list cannot be fetched",
                metadata: ["feed": "\(fetch.feed)", "list": "\(uri)", "reason": "\(reason)"])
        }
        listsChanged = true
        settle(uri)
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
        let now = FeedMoment.present.monotonic
        let index = feeds.firstIndex { feed in
            guard case .lists(let refresher) = feed.machine else { return false }
            return feed.configuration.issuer == issuer && refresher.covers(uri)
        }
        guard let index, case .lists(var refresher) = feeds[index].machine else { return settle(uri) }
        feeds[index].machine = .taken
        let answer = refresher.want(uri, at: now)
        feeds[index].machine = .lists(refresher)
        switch answer {
        case .settled: settle(uri)
        case .wait:
            awaited[uri, default: []].insert(issuer)
            startDue()
        }
    }

    /// Takes in a delivery.
    ///
    /// - Parameters:
    ///   - body: the content of the request.
    ///   - feed: the feed's name.
    ///   - authorization: the value of the field `Authorization`.
    func receive(_ body: [UInt8], feed: String, authorization: String?) -> PushVerdict {
        let now = FeedMoment.present
        guard let index = feeds.firstIndex(where: { $0.configuration.name == feed }), let signer = signers[feed],
            case .receiver(var receiver) = feeds[index].machine
        else { return .refused(status: 404, err: "invalid_request", description: "there is no such feed") }
        feeds[index].machine = .taken
        let before = receiver.intake.clock
        let terms = EventTerms(signer: signer, lifetimes: lifetimes)
        do throws(PushRefusal) {
            let reading = try receiver.receive(
                body.span, authorization: authorization, by: terms, engine: engine, now: now)
            for note in reading.notes { logger.info("an event", metadata: ["feed": "\(feed)", "note": "\(note)"]) }
            var heard = FeedNews()
            heard.freshnessChanged = receiver.intake.clock != before
            if !reading.revocations.isEmpty {
                let batch = nextBatch()
                heard.revocations = reading.revocations
                heard.batch = batch
                receiver.awaits(batch, for: reading)
            }
            feeds[index].machine = .receiver(receiver)
            return .accepted(news(heard))
        } catch {
            feeds[index].machine = .receiver(receiver)
            if let count = feeds[index].refusals.note(at: now.monotonic) {
                logger.warning(
                    "a delivery is refused",
                    metadata: ["feed": "\(feed)", "reason": "\(error.description)", "count": "\(count)"])
            }
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
        let now = FeedMoment.present.monotonic
        let polled = polls.removeValue(forKey: batch)
        for index in feeds.indices {
            switch feeds[index].take() {
            case .taken: break
            case .lists(let refresher): feeds[index].machine = .lists(refresher)
            case .poller(var poller):
                if polled == feeds[index].configuration.name {
                    if isDurable { poller.settled(at: now) } else { poller.abandoned(at: now) }
                }
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
        let now = FeedMoment.present
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
        let now = FeedMoment.present.monotonic
        return feeds.compactMap { feed in
            guard let clock = feed.machine.eventClock else { return nil }
            return FeedFreshness(
                name: feed.configuration.name, freshUntil: clock.freshUntil(at: now),
                deniesWhenStale: feed.configuration.deniesWhenStale)
        }
    }

    /// How the feeds are doing, in the order of the configuration.
    var statuses: [FeedStatus] {
        let now = FeedMoment.present
        return feeds.compactMap { $0.machine.status(at: now) }
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
        let now = FeedMoment.present
        for index in feeds.indices {
            var machine = feeds[index].take()
            let change = machine.change(at: now)
            feeds[index].machine = machine
            guard let change else { continue }
            news.freshnessChanged = true
            let name = feeds[index].configuration.name
            if change == .stale { news.stale.append(name) } else { news.recovered.append(name) }
        }
        if isConfigurationNew { news.freshnessChanged = true }
        if isConfigurationNew || listsChanged { news.statusLists = statusLists }
        news.settledLists = settledLists
        isConfigurationNew = false
        listsChanged = false
        settledLists = []
        return news
    }
}

extension FeedConfiguration {
    /// Whether another configuration speaks of the same feed: by its name, of the same signer.
    fileprivate func isContinued(by other: FeedConfiguration) -> Bool {
        name == other.name && issuer == other.issuer
    }
}
