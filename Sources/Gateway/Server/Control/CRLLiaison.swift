import Bytes
import Configuration
import Control
import Cryptography
import Identity
import Logging
import Reactor

/// Something about revocation lists that an operator has to know at once.
struct CRLAlert: Equatable, Sendable {
    /// What it is: `crl.expired`, `crl.rejected`, `crl.older` or `crl.dropped`.
    let reason: String
    /// The trust domain, and in parentheses the file or URL.
    let subject: String
}

/// What has changed about revocation lists.
struct CRLNews: Sendable {
    /// What clients are to be judged by from now on, those that are there already too; nothing where it is as it was.
    var lists: RevocationLists?
    /// What to record.
    var alerts: [CRLAlert] = []
}

/// The control thread's dealings with revocation lists: has files looked at and URLs fetched, and keeps what came of it.
final class CRLLiaison {
    /// One place that lists come from, whoever judges by them.
    fileprivate struct Source {
        var keeper: RevocationListKeeper
        /// What the file was when it was looked at last.
        var mark: FileMark?
        /// The trust domains that judge by it, and their authorities.
        private(set) var domains: [String] = []
        private var authorities: [Certificate] = []

        init(location: RevocationListLocation, now: MonotonicTime) {
            keeper = RevocationListKeeper(location: location, authorities: [], now: now)
        }

        var location: RevocationListLocation { keeper.location }

        var withoutDomains: Source {
            var source = self
            source.domains = []
            source.authorities = []
            return source
        }

        mutating func add(_ domain: TrustDomainConfiguration) {
            if !domains.contains(domain.name) { domains.append(domain.name) }
            authorities += domain.bundle
        }

        mutating func adoptAuthorities() {
            keeper.adopt(authorities: authorities)
        }

        mutating func take(_ reading: RevocationListReading, _ now: MonotonicTime, _ civil: UnixTime) -> Event {
            let outcome = keeper.take(reading, at: now, civil)
            return Event(
                domains: domains.joined(separator: ", "), location: location.text, outcome: outcome,
                entries: keeper.status(at: now, civil).entries)
        }
    }

    /// A trust domain of a listener that has lists.
    fileprivate struct User {
        let listener: String
        let domain: String
        let location: RevocationListLocation
        let deniesWhenStale: Bool
    }

    /// What a look has changed, to be told.
    fileprivate struct Event {
        let domains: String
        let location: String
        let outcome: RevocationListOutcome
        let entries: Int
    }

    private let retriever: Retriever
    private let desk: ListDesk
    private let logger: Logger
    private var thread: WorkerThread?
    private var sources: [Source] = []
    private var users: [User] = []
    /// What clients are judged by now.
    private(set) var lists = RevocationLists.none

    /// Makes one that knows no list.
    ///
    /// - Parameter mailbox: where what was read is told.
    init(mailbox: Mailbox<ControlMessage>, logger: Logger) throws {
        retriever = try Retriever()
        desk = try ListDesk { mailbox.post(.listFetched($0)) }
        self.logger = logger
    }

    /// Starts the threads that fetch and read.
    func start() throws {
        try retriever.start()
        let desk = desk
        thread = try WorkerThread(name: "lists") { desk.run() }
    }

    /// Ends them; whatever is under way is forgotten.
    func stop() {
        retriever.stop()
        desk.stop()
        thread?.join()
        thread = nil
    }

    // MARK: Configuration

    /// What is known under a configuration that is not in force yet.
    struct Prepared {
        fileprivate var sources: [Source] = []
        fileprivate var users: [User] = []
        /// What clients are judged by under it.
        fileprivate(set) var lists = RevocationLists.none
        fileprivate var events: [Event] = []
    }

    /// Works out what is known under a configuration, with the lists that were read with it; changes nothing.
    ///
    /// What is known of places that stay stays known, and no list becomes older.
    func prepare(_ listeners: [ListenerConfiguration]) -> Prepared {
        var prepared = Prepared()
        var read: [(location: RevocationListLocation, lists: [CertificateRevocationList])] = []
        for listener in listeners {
            for domain in listener.trustDomains {
                guard let configured = domain.revocationLists else { continue }
                prepared.users.append(
                    User(
                        listener: listener.name, domain: domain.name, location: configured.location,
                        deniesWhenStale: configured.deniesWhenStale))
                note(domain, judgedFrom: configured.location, in: &prepared.sources)
                if !configured.lists.isEmpty { read.append((configured.location, configured.lists)) }
            }
        }
        for index in prepared.sources.indices { prepared.sources[index].adoptAuthorities() }
        for (location, lists) in read {
            guard let index = prepared.sources.firstIndex(where: { $0.location == location }) else { continue }
            prepared.events.append(prepared.sources[index].take(.lists(lists, entityTag: nil), Self.now, Self.civil))
        }
        prepared.lists = Self.gather(prepared.sources, prepared.users)
        return prepared
    }

    /// Finds or makes the source at a place, and notes that a trust domain judges by it.
    private func note(
        _ domain: TrustDomainConfiguration, judgedFrom location: RevocationListLocation, in sources: inout [Source]
    ) {
        let place: Int
        if let index = sources.firstIndex(where: { $0.location == location }) {
            place = index
        } else {
            place = sources.count
            let known = self.sources.first { $0.location == location }
            sources.append(known?.withoutDomains ?? Source(location: location, now: Self.now))
        }
        sources[place].add(domain)
    }

    /// Puts what was prepared in force.
    ///
    /// - Returns: what to record.
    @discardableResult
    func adopt(_ prepared: Prepared) -> [CRLAlert] {
        (sources, users, lists) = (prepared.sources, prepared.users, prepared.lists)
        return prepared.events.flatMap(tell)
    }

    // MARK: Looking

    /// Starts the looks that are due, and tells what has expired.
    func tick() -> CRLNews {
        var news = CRLNews()
        for index in sources.indices {
            let source = sources[index]
            for issuer in sources[index].keeper.lapsed(at: Self.civil, Self.now) {
                let domains = source.domains.joined(separator: ", ")
                news.alerts.append(
                    alert("crl.expired", domains, source.location.text, "the list of \(issuer) has expired"))
                // Who was let in while it was current is judged again too.
                news.lists = lists
            }
            if sources[index].keeper.isDue(at: Self.now) { look(at: index) }
        }
        return news
    }

    private func look(at index: Int) {
        let location = sources[index].location
        let desk = desk
        if let request = sources[index].keeper.begin() {
            retriever.fetch(request) { desk.put(.answer($0, from: location)) }
        } else {
            desk.put(.file(location, known: sources[index].mark))
        }
    }

    /// Takes in what a look has brought.
    func fetched(_ answer: ListAnswer) -> CRLNews {
        guard let index = sources.firstIndex(where: { $0.location == answer.location }) else { return CRLNews() }
        sources[index].mark = answer.mark
        let event = sources[index].take(answer.reading, Self.now, Self.civil)
        var news = CRLNews(alerts: tell(event))
        if event.outcome.hasChanged {
            lists = Self.gather(sources, users)
            news.lists = lists
        }
        return news
    }

    /// Milliseconds until ``tick()`` has something to do, if ever.
    var delay: Int64? {
        let next = sources.compactMap(\.keeper.nextEvent).min().map { ($0 - Self.now).nanoseconds }
        let expiry = sources.compactMap { $0.keeper.nextExpiry(after: Self.civil) }.min()
            .map { ($0 - Self.civil).nanoseconds }
        return [next, expiry].compactMap(\.self).min().map { max(0, $0 / 1_000_000 + 1) }
    }

    /// Puts together what clients are judged by.
    private static func gather(_ sources: [Source], _ users: [User]) -> RevocationLists {
        var tables: [String: [String: TrustDomainLists]] = [:]
        for user in users {
            let known = sources.first { $0.location == user.location }?.keeper.lists ?? []
            tables[user.listener, default: [:]][user.domain] = TrustDomainLists(
                known, deniesWhenStale: user.deniesWhenStale)
        }
        return RevocationLists(tables.mapValues { RevocationListTable($0) })
    }

    // MARK: Telling

    private func tell(_ event: Event) -> [CRLAlert] {
        let outcome = event.outcome
        if outcome.hasChanged {
            logger.info(
                "new revocation lists",
                metadata: [
                    "trust_domain": "\(event.domains)", "from": "\(event.location)", "entries": "\(event.entries)",
                ])
        }
        var alerts: [CRLAlert] = []
        if let failure = outcome.failure {
            alerts.append(alert("crl.rejected", event.domains, event.location, failure))
        }
        for issuer in outcome.older {
            let sentence = "the list of \(issuer) is older than the one that is known, which stays"
            alerts.append(alert("crl.older", event.domains, event.location, sentence))
        }
        for issuer in outcome.dropped {
            let sentence = "there is no list of \(issuer) any more; its clients are refused"
            alerts.append(alert("crl.dropped", event.domains, event.location, sentence))
        }
        return alerts
    }

    private func alert(_ reason: String, _ domains: String, _ location: String, _ sentence: String) -> CRLAlert {
        logger.error(
            "revocation lists",
            metadata: ["trust_domain": "\(domains)", "from": "\(location)", "reason": "\(sentence)"])
        return CRLAlert(reason: reason, subject: "\(domains) (\(location))")
    }

    // MARK: Health

    /// Why clients of a trust domain are all refused, if they are.
    var unreadiness: String? {
        for user in users where user.deniesWhenStale {
            guard let keeper = sources.first(where: { $0.location == user.location })?.keeper else { continue }
            if keeper.lists.isEmpty { return "there is no revocation list of \(user.domain) yet" }
            if keeper.status(at: Self.now, Self.civil).isExpired {
                return "a revocation list of \(user.domain) has expired"
            }
        }
        return nil
    }

    /// How the lists of each trust domain are doing.
    var statuses: [(trustDomain: String, status: RevocationListStatus)] {
        sources.flatMap { source in
            source.domains.map { ($0, source.keeper.status(at: Self.now, Self.civil)) }
        }
    }

    private static var now: MonotonicTime { MonotonicTime(nanoseconds: Clock.monotonic()) }
    private static var civil: UnixTime { UnixTime(nanoseconds: Clock.civil()) }
}
