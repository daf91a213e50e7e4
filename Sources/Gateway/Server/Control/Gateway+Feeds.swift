import Audit
import Bytes
import Configuration
import Control
import Exchange
import Logging
import Reactor
import Revocation

/// A question of a worker that feeds answer.
struct FeedAsker {
    let worker: Int
    let number: UInt64
}

/// What is heard of revocations from elsewhere.
extension Gateway {
    /// Takes over the feeds of the configuration in force.
    func configureFeeds() {
        let issuers = issuers.withKeys(configuration.issuers)
        feeds.configure(configuration.revocation?.feeds ?? [], issuers: issuers, terms: configuration.revocationTerms)
        take(feeds.tick())
    }

    /// Does what news of feeds ask for.
    func take(_ news: FeedNews) {
        if let desk {
            if let lists = news.statusLists { desk.adopt(statusLists: lists) }
            if news.freshnessChanged { desk.adopt(freshness: feeds.freshness) }
        }
        for feed in news.stale {
            logger.warning("a feed of revocations is stale", metadata: ["feed": "\(feed)"])
            alert("feed.stale", feed)
        }
        for feed in news.recovered {
            logger.info("a feed of revocations is heard again", metadata: ["feed": "\(feed)"])
        }
        if let batch = news.batch, !news.revocations.isEmpty {
            desk?.revoke(news.revocations) { [unowned self] outcome in settle(batch, outcome) }
        }
        for uri in news.settledLists {
            for asker in listAskers.removeValue(forKey: uri) ?? [] { answer(asker, .published) }
        }
    }

    private func alert(_ reason: String, _ feed: String) {
        var record = ControlRecord(.alertRaised, reason: reason)
        record.source = "feed:\(feed)"
        records.submit(record)
    }

    private func settle(_ batch: UInt64, _ outcome: RevocationDesk.Outcome) {
        let asker = pushes.removeValue(forKey: batch)
        switch outcome {
        case .enforced:
            feeds.settled(batch)
            if let asker { answer(asker, .event(.accepted)) }
        case .failed(let error):
            logger.error("revocations of a feed cannot be kept", metadata: ["reason": "\(error)"])
            feeds.abandoned(batch)
            if let asker { answer(asker, .event(EventAnswer(status: 503))) }
        }
    }

    // MARK: Questions of workers

    /// Finds out what a worker wants to know.
    func ask(_ question: Question, worker: Int, number: UInt64) {
        switch question {
        case .keys, .introspection: issuers.ask(question, worker: worker, number: number)
        case .statusList(let issuer, let uri):
            listAskers[uri, default: []].append(FeedAsker(worker: worker, number: number))
            feeds.wants(list: uri, issuer: issuer)
            take(feeds.tick())
        case .event(let feed, let body, let authorization):
            receive(body, feed: feed, authorization: authorization, FeedAsker(worker: worker, number: number))
        }
    }

    /// A transmitter hears that an event is taken when it is durable and enforced, and not before (RFC 8935 §2.2).
    private func receive(_ body: [UInt8], feed: String, authorization: String?, _ asker: FeedAsker) {
        switch feeds.receive(body, feed: feed, authorization: authorization) {
        case .refused(let status, let error, let description):
            answer(
                asker, .event(EventAnswer(status: UInt16(clamping: status), error: error, description: description)))
        case .accepted(let news):
            if let batch = news.batch, !news.revocations.isEmpty {
                pushes[batch] = asker
                take(news)
            } else {
                take(news)
                answer(asker, .event(.accepted))
            }
        }
    }

    private func answer(_ asker: FeedAsker, _ answer: InquiryAnswer) {
        workers[asker.worker].mailbox.post(.answered(asker.number, answer))
    }
}
