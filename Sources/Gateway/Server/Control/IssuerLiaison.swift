import Bytes
import Configuration
import Control
import Exchange
import Logging
import Reactor
import Tokens

/// The control thread's dealings with issuers: fetches their keys before and when they are needed, and asks them about
/// tokens, so that no worker ever waits for a network.
final class IssuerLiaison {
    /// Somebody who waits for an answer: a question of a worker.
    private struct Asker {
        let worker: Int
        let number: UInt64
    }

    private let retriever: Retriever
    private let mailbox: Mailbox<ControlMessage>
    private let logger: Logger
    private var refresher = KeyRefresher(jitterSeed: IssuerLiaison.seed())
    private var endpoints: [String: IntrospectionEndpoint] = [:]
    private var waiting: [String: [Asker]] = [:]
    private var workers: [Mailbox<WorkerMessage>] = []

    /// Makes one that knows no issuer.
    ///
    /// - Parameter mailbox: where what was fetched is told.
    init(mailbox: Mailbox<ControlMessage>, logger: Logger) throws {
        retriever = try Retriever()
        self.mailbox = mailbox
        self.logger = logger
    }

    /// Starts the thread that fetches, for workers whose questions it answers.
    func start(workers: [Mailbox<WorkerMessage>]) throws {
        self.workers = workers
        try retriever.start()
    }

    private static func seed() -> UInt64 {
        var entropy = Entropy()
        return entropy.word()
    }

    private func answer(_ worker: Int, _ number: UInt64, _ introspection: [UInt8]?) {
        workers[worker].post(.answered(number, .introspection(introspection)))
    }

    /// Ends it; whatever is under way fails.
    func stop() {
        retriever.stop()
    }

    /// Takes over the issuers of a configuration; keys that were fetched from the same place stay.
    func configure(_ issuers: [TokenIssuer]) {
        var sources: [(issuer: String, location: KeySetLocation)] = []
        endpoints = [:]
        for issuer in issuers {
            switch issuer.keySource {
            case .file: break
            case .url(let location): sources.append((issuer: issuer.issuer, location: location))
            case .introspection(let endpoint): endpoints[issuer.issuer] = endpoint
            }
        }
        refresher.configure(sources, now: Self.now)
        for fetch in refresher.due(at: Self.now) { start(fetch) }
    }

    /// The issuers with the keys that are known now.
    func withKeys(_ issuers: [TokenIssuer]) -> [TokenIssuer] {
        issuers.map { issuer in
            guard case .url(let location) = issuer.keySource else { return issuer }
            return issuer.with(keys: refresher.keys(of: issuer.issuer, from: location, at: Self.now))
        }
    }

    /// Starts the fetches that are due.
    ///
    /// - Returns: the issuers whose keys have become too old since the last time.
    func tick() -> [String] {
        for fetch in refresher.due(at: Self.now) { start(fetch) }
        return refresher.lapsed(at: Self.now)
    }

    /// Milliseconds until ``tick()`` has something to do, if ever.
    var delay: Int64? {
        refresher.nextDue.map { max(0, ($0 - Self.now).nanoseconds / 1_000_000 + 1) }
    }

    /// Why the gateway cannot decide about an issuer's tokens, if it cannot.
    var unreadiness: String? {
        refresher.status(at: Self.now).first { !$0.isUsable }.map { "there are no usable keys of \($0.issuer)" }
    }

    /// What there is to tell of the issuers of a configuration.
    func states(of issuers: [TokenIssuer]) -> [AdminIssuer] {
        let statuses = refresher.status(at: Self.now)
        return issuers.map { issuer in
            let status = statuses.first { $0.issuer == issuer.issuer }
            let keys: Int? =
                switch issuer.keySource {
                case .file: issuer.keys.keys.count
                case .url(let location): refresher.keys(of: issuer.issuer, from: location, at: Self.now).keys.count
                case .introspection: nil
                }
            let source =
                switch issuer.keySource {
                case .file: "file"
                case .url: "url"
                case .introspection: "introspection"
                }
            return AdminIssuer(
                issuer: issuer.issuer, profile: issuer.profile.rawValue, keySource: source, keyCount: keys,
                keyAge: status?.age, isUsable: status?.isUsable ?? true, lastFailure: status?.lastFailure)
        }
    }

    // MARK: Questions

    /// Finds out what a worker wants to know.
    func ask(_ question: Question, worker: Int, number: UInt64) {
        switch question {
        case .keys(let issuer, let keyID): askForKeys(of: issuer, keyID, Asker(worker: worker, number: number))
        case .introspection(let issuer, let token):
            guard let endpoint = endpoints[issuer] else { return answer(worker, number, nil) }
            let mailbox = mailbox
            retriever.fetch(Introspection.request(endpoint, token: token)) { result in
                mailbox.post(.introspected(worker: worker, number: number, issuer: issuer, by: endpoint, result))
            }
        case .statusList, .event: preconditionFailure("not an issuer's question")
        }
    }

    private func askForKeys(of issuer: String, _ keyID: String?, _ asker: Asker) {
        switch refresher.ask(issuer: issuer, keyID: keyID, at: Self.now) {
        case .known, .refused: answer(asker.worker, asker.number, nil)
        case .wait: waiting[issuer, default: []].append(asker)
        case .fetch(let fetch):
            waiting[issuer, default: []].append(asker)
            start(fetch)
        }
    }

    private func start(_ fetch: KeyFetch) {
        let mailbox = mailbox
        retriever.fetch(fetch.request) { mailbox.post(.keysFetched(fetch, $0)) }
    }

    /// An issuer has answered about a token.
    func introspected(
        worker: Int, number: UInt64, issuer: String, by endpoint: IntrospectionEndpoint,
        _ result: Result<IncomingResponse, RetrievalError>
    ) {
        // A reload may have taken the endpoint away: then nobody believes it any more.
        guard endpoints[issuer] == endpoint else { return answer(worker, number, nil) }
        switch Introspection.answer(result) {
        case .success(let body): answer(worker, number, body)
        case .failure(let error):
            logger.warning("introspection failed", metadata: ["issuer": "\(issuer)", "reason": "\(error)"])
            answer(worker, number, nil)
        }
    }

    /// What a fetch has brought for the issuers of the gateway.
    enum KeyNews {
        case none
        /// Other keys than before, in the place of others or as the first.
        case changed(isRotation: Bool)
    }

    /// A fetch has ended; whoever waits for it is answered by ``release(_:)``, once the news is published.
    func keysFetched(_ fetch: KeyFetch, _ result: Result<IncomingResponse, RetrievalError>) -> KeyNews {
        switch refresher.completed(fetch, result, at: Self.now) {
        case .changed(_, let isRotation): return .changed(isRotation: isRotation)
        case .unchanged: return .none
        case .failed(let reason):
            logger.warning(
                "the keys cannot be fetched", metadata: ["issuer": "\(fetch.issuer)", "reason": "\(reason)"])
            return .none
        }
    }

    /// Answers everybody who waits for the keys of an issuer.
    func release(_ issuer: String) {
        for asker in waiting.removeValue(forKey: issuer) ?? [] { answer(asker.worker, asker.number, nil) }
    }

    private static var now: MonotonicTime { MonotonicTime(nanoseconds: Clock.monotonic()) }
}
