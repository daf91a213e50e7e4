import Audit
import Configuration
import Identity
import Reactor

/// What certificate authorities have taken back.
extension Gateway {
    /// Does what news of revocation lists ask for: whoever is connected already is judged by new ones too.
    func take(_ news: CRLNews) {
        record(news.alerts)
        guard let lists = news.lists else { return }
        for worker in workers { worker.mailbox.post(.lists(lists)) }
    }

    /// Has every worker judge by the lists of a configuration that has come into force.
    func adopt(_ prepared: CRLLiaison.Prepared) {
        record(lists.adopt(prepared))
        let isUsed = configuration.listeners.contains { $0.trustDomains.contains { $0.revocationLists != nil } }
        guard isUsed else { return }
        for worker in workers { worker.mailbox.post(.lists(prepared.lists)) }
    }

    private func record(_ alerts: [CRLAlert]) {
        for alert in alerts {
            var record = ControlRecord(.alertRaised, reason: alert.reason)
            record.source = alert.subject
            records.submit(record)
        }
    }
}
