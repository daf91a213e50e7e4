import Bytes
import Configuration
import Control
import Reactor
import Revocation

/// What knows of one feed when to do what.
enum FeedMachine {
    /// It is being worked with: nobody else holds what it holds, so nothing of that is copied.
    case taken
    case lists(StatusListRefresher)
    case poller(EventPoller)
    case receiver(EventReceiver)

    /// Makes one that knows nothing yet; the numbers of its fetches come after that one.
    init(_ configuration: FeedConfiguration, after lastNumber: UInt64, at now: MonotonicTime) {
        let (name, staleness) = (configuration.name, configuration.maximumStaleness)
        var entropy = Entropy()
        let seed = entropy.word()
        switch configuration.kind {
        case .statusList(let location):
            self = .lists(
                StatusListRefresher(
                    feed: name, location: location, staleness: staleness,
                    deniesWhenStale: configuration.deniesWhenStale, jitterSeed: seed, lastNumber: lastNumber, now: now)
            )
        case .poll(let endpoint):
            self = .poller(
                EventPoller(
                    feed: name, endpoint: endpoint, staleness: staleness, jitterSeed: seed, lastNumber: lastNumber,
                    now: now))
        case .push(let endpoint): self = .receiver(EventReceiver(feed: name, endpoint: endpoint, now: now))
        }
    }

    /// The machine with new settings; nothing where it is of another place.
    func adopted(by configuration: FeedConfiguration, at now: MonotonicTime) -> FeedMachine? {
        switch (self, configuration.kind) {
        case (.lists(var refresher), .statusList(let location)) where refresher.isAt(location):
            refresher.adopt(
                location, staleness: configuration.maximumStaleness, deniesWhenStale: configuration.deniesWhenStale,
                now: now)
            return .lists(refresher)
        case (.poller(var poller), .poll(let endpoint)) where poller.isAt(endpoint):
            poller.adopt(endpoint, staleness: configuration.maximumStaleness, now: now)
            return .poller(poller)
        case (.receiver(var receiver), .push(let endpoint)) where receiver.endpoint.audience == endpoint.audience:
            receiver.adopt(endpoint)
            return .receiver(receiver)
        default: return nil
        }
    }

    /// When there is something to do next; nothing where only something from outside is awaited.
    var nextDue: MonotonicTime? {
        switch self {
        case .taken: nil
        case .lists(let refresher): refresher.nextDue
        case .poller(let poller): poller.nextDue
        case .receiver(let receiver): receiver.intake.clock.nextEvent
        }
    }

    /// When a feed of events was heard; status lists bear their own freshness.
    var eventClock: FeedClock? {
        switch self {
        case .taken, .lists: nil
        case .poller(let poller): poller.intake.clock
        case .receiver(let receiver): receiver.intake.clock
        }
    }

    /// How the feed is doing.
    func status(at now: FeedMoment) -> FeedStatus? {
        switch self {
        case .taken: nil
        case .lists(let refresher): refresher.status(at: now)
        case .poller(let poller): poller.intake.status(type: "set_poll", at: now.monotonic)
        case .receiver(let receiver): receiver.intake.status(type: "set_push", at: now.monotonic)
        }
    }

    /// What has changed for operators since the last call: each change is told once.
    mutating func change(at now: FeedMoment) -> FeedClock.Change? {
        let machine = self
        self = .taken
        switch machine {
        case .taken: return nil
        case .lists(var refresher):
            defer { self = .lists(refresher) }
            return refresher.change(at: now)
        case .poller(var poller):
            defer { self = .poller(poller) }
            return poller.change(at: now.monotonic)
        case .receiver(var receiver):
            defer { self = .receiver(receiver) }
            return receiver.change(at: now.monotonic)
        }
    }
}

extension FeedMoment {
    /// What the clocks of the machine say.
    static var present: FeedMoment {
        FeedMoment(
            monotonic: MonotonicTime(nanoseconds: Clock.monotonic()), civil: UnixTime(nanoseconds: Clock.civil()))
    }
}
