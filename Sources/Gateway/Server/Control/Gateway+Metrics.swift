import Bytes
import Control

/// What the gateway tells in numbers.
extension Gateway {
    /// The metrics in the text format of Prometheus.
    var metrics: String {
        var metrics = MetricsText()
        metrics.add("sallyport_connections", .gauge, help: "Client connections.", [.init(Double(connections.count))])
        if let desk {
            let sources = desk.countBySource.sorted { $0.key < $1.key }
            metrics.add(
                "sallyport_revocations", .gauge, help: "Revocations in force, by where they came from.",
                sources.isEmpty
                    ? [.init(0, [("source", "admin")])] : sources.map { .init(Double($0.value), [("source", $0.key)]) })
        }
        let feeds = feeds.statuses
        metrics.add(
            "sallyport_feed_stale", .gauge, help: "Whether a feed of revocations was not heard of for too long.",
            feeds.map { .init($0.isStale ? 1 : 0, [("feed", $0.name), ("type", $0.type)]) })
        metrics.add(
            "sallyport_feed_age_seconds", .gauge, help: "How long ago a feed of revocations was heard.",
            feeds.compactMap { feed in
                feed.age.map {
                    .init(Double($0.nanoseconds) / 1e9, [("feed", feed.name), ("type", feed.type)])
                }
            })
        metrics.add(
            "sallyport_feed_entries", .gauge, help: "How much a feed of revocations has told.",
            feeds.map { .init(Double($0.entries), [("feed", $0.name), ("type", $0.type)]) })
        let lists = lists.statuses
        metrics.add(
            "sallyport_crl_expired", .gauge, help: "Whether a certificate revocation list has expired.",
            lists.map { .init($0.status.isExpired ? 1 : 0, [("trust_domain", $0.trustDomain)]) })
        metrics.add(
            "sallyport_crl_entries", .gauge, help: "Certificates that a revocation list names.",
            lists.map { .init(Double($0.status.entries), [("trust_domain", $0.trustDomain)]) })
        metrics.add(
            "sallyport_crl_age_seconds", .gauge, help: "How long ago a revocation list was known to be current.",
            lists.compactMap { list in
                list.status.age.map { .init(Double($0.nanoseconds) / 1e9, [("trust_domain", list.trustDomain)]) }
            })
        return metrics.text
    }
}
